// What tests may ask of the provider beside OAuth: to count, to misbehave, and to forget both.
//
//   GET    /__test/stats    {"requests": {PATH: n}, "issued": {GRANT TYPE: n},
//                            "refused": {ERROR: n}, "revoked_grants": n}
//   PATCH  /__test/state    {"faults": [{path, effect, times?, ...}], "access_token_seconds": n,
//                            "rotates": b, "omits_refresh_token": b, "denies": b}
//   DELETE /__test/state    as it was at first, with all counters at zero

const WITH_IDENTIFIER = /^\/(auth|interaction)\/.*/

export class Controls {
  constructor() {
    this.reset()
  }

  reset() {
    this.faults = []
    this.accessTokenSeconds = 600
    this.rotates = true
    this.omitsRefreshToken = false
    this.denies = false
    this.stats = { requests: {}, issued: {}, refused: {}, revoked_grants: 0 }
  }

  listenTo(provider) {
    provider.on('grant.success', (ctx) => add(ctx.state.stats.issued, ctx.oidc.params.grant_type))
    provider.on('grant.error', (ctx, error) => add(ctx.state.stats.refused, error.error))
    provider.on('grant.revoked', (ctx) => {
      ctx.state.stats.revoked_grants += 1
    })
    provider.on('server_error', (_ctx, error) => console.error(error))
  }

  // Whatever becomes of a request counts where its arrival did, also when a test has reset since.
  async count(ctx, next) {
    ctx.state.stats = this.stats
    add(this.stats.requests, ctx.path.replace(WITH_IDENTIFIER, '/$1'))
    await next()
  }

  // The first fault that is meant for this path and not used up.
  faultFor(path) {
    const fault = this.faults.find((one) => one.path === path && (one.times ?? 1) > 0)
    if (fault) fault.times = (fault.times ?? 1) - 1
    return fault
  }

  async serve(ctx) {
    if (ctx.method === 'DELETE') this.reset()
    if (ctx.method === 'PATCH') this.change(JSON.parse(await textOf(ctx.req)))
    ctx.body = this.stats
  }

  change(wanted) {
    this.faults = wanted.faults ?? this.faults
    this.accessTokenSeconds = wanted.access_token_seconds ?? this.accessTokenSeconds
    this.rotates = wanted.rotates ?? this.rotates
    this.omitsRefreshToken = wanted.omits_refresh_token ?? this.omitsRefreshToken
    this.denies = wanted.denies ?? this.denies
  }
}

function add(counter, name) {
  counter[name] = (counter[name] ?? 0) + 1
}

async function textOf(stream) {
  const chunks = []
  for await (const chunk of stream) chunks.push(chunk)
  return Buffer.concat(chunks).toString()
}
