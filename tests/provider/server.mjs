// The OAuth provider of the tests: oidc-provider as it is, on a free port of this machine.
//
// It requires PKCE, lets a code be used once, rotates refresh tokens and revokes the whole grant
// when an old one is used. Whoever comes to its login is logged in and consents, without a page.
// It says where it listens in one line of JSON, and ends when its standard input does, so that it
// never outlives the tests. Under /__test/ it counts, misbehaves on demand and forgets.

import { createServer } from 'node:http'
import { setTimeout as pause } from 'node:timers/promises'
import Provider from 'oidc-provider'
import { Controls } from './controls.mjs'

const LOOPBACK = new Set(['127.0.0.1', 'localhost', '[::1]'])

const CODE_FLOW = {
  grant_types: ['authorization_code', 'refresh_token'],
  response_types: ['code'],
  redirect_uris: ['https://client.example.org/callback'],
}

const CLIENTS = [
  { client_id: 'confidential', client_secret: 'a secret: with + / and %', ...CODE_FLOW },
  {
    client_id: 'posting',
    client_secret: 'another secret & more',
    token_endpoint_auth_method: 'client_secret_post',
    ...CODE_FLOW,
  },
  { client_id: 'public', token_endpoint_auth_method: 'none', ...CODE_FLOW },
]

const controls = new Controls()

function configuration() {
  return {
    clients: CLIENTS,
    scopes: ['openid', 'offline_access', 'mail.read', 'mail.send', 'files.read'],
    clientDefaults: { token_endpoint_auth_method: 'client_secret_basic' },
    cookies: { keys: ['for tests'] },
    features: {
      devInteractions: { enabled: false },
      introspection: { enabled: true },
      revocation: { enabled: true },
    },
    findAccount: (_ctx, id) => ({ accountId: id, claims: () => ({ sub: id }) }),
    interactions: { url: (_ctx, interaction) => `/__test/interaction/${interaction.uid}` },
    issueRefreshToken: () => true,
    pkce: { required: () => true },
    rotateRefreshToken: () => controls.rotates,
    ttl: {
      AccessToken: () => controls.accessTokenSeconds,
      AuthorizationCode: 60,
      Grant: 86400,
      IdToken: 3600,
      Interaction: 600,
      RefreshToken: 86400,
      Session: 600,
    },
  }
}

// Clients may come back to any port of this machine: tests do not know theirs beforehand.
function allowLoopback(provider) {
  const { redirectUriAllowed } = provider.Client.prototype
  provider.Client.prototype.redirectUriAllowed = function (uri) {
    return redirectUriAllowed.call(this, uri) || LOOPBACK.has(new URL(uri).hostname)
  }
}

// Logs in and consents to everything that was asked for, or denies it.
async function interact(provider, ctx) {
  const { params, session } = await provider.interactionDetails(ctx.req, ctx.res)
  if (controls.denies) {
    return provider.interactionFinished(ctx.req, ctx.res, { error: 'access_denied' })
  }
  const accountId = params.login_hint ?? session?.accountId ?? 'somebody'
  const grant = new provider.Grant({ accountId, clientId: params.client_id })
  grant.addOIDCScope(params.scope ?? '')
  const result = { login: { accountId }, consent: { grantId: await grant.save() } }
  return provider.interactionFinished(ctx.req, ctx.res, result)
}

// What happens to a request according to the faults that the tests asked for.
async function misbehave(ctx, next) {
  const fault = controls.faultFor(ctx.path)
  switch (fault?.effect) {
    case undefined:
      return next()
    case 'answer':
      ctx.status = fault.status ?? 200
      ctx.set(fault.headers ?? {})
      ctx.body = fault.body ?? ''
      return undefined
    case 'hang':
      ctx.respond = false
      return undefined
    case 'drop':
      ctx.respond = false
      return ctx.req.socket.destroy()
    case 'lose':
      await next()
      ctx.respond = false
      return ctx.req.socket.destroy()
    case 'slow':
      await pause(fault.seconds * 1000)
      return next()
    default:
      ctx.status = 500
      ctx.body = `there is no such effect: ${fault.effect}`
      return undefined
  }
}

// A provider that does not rotate may leave the refresh token out of its answer to a refresh.
async function omit(ctx, next) {
  await next()
  const refreshed = ctx.oidc?.params?.grant_type === 'refresh_token' && ctx.status === 200
  if (controls.omitsRefreshToken && refreshed) delete ctx.body.refresh_token
}

async function serveTests(provider, ctx, next) {
  if (!ctx.path.startsWith('/__test/')) return next()
  if (ctx.path.startsWith('/__test/interaction/')) return interact(provider, ctx)
  return controls.serve(ctx)
}

const server = createServer()
server.listen(0, '127.0.0.1', () => {
  const issuer = `http://127.0.0.1:${server.address().port}`
  const provider = new Provider(issuer, configuration())
  allowLoopback(provider)
  controls.listenTo(provider)
  provider.use((ctx, next) => serveTests(provider, ctx, next))
  provider.use((ctx, next) => controls.count(ctx, next))
  provider.use(misbehave)
  provider.use(omit)
  server.on('request', provider.callback())
  console.log(JSON.stringify({ issuer, clients: CLIENTS }))
})

process.stdin.resume()
process.stdin.on('end', () => process.exit(0))
