"""The names that banks give to their columns, in seven languages, and what they mean.

A name says what a column probably is; the user confirms it. Earlier names of a role go before
later ones: the day of booking before that of value, the recipient before the account number.
Invariant: a name means one thing.
"""

from __future__ import annotations

import re

from atom_backend.domain.finance.statements import Role

_NAMES = {
    Role.DATE: (
        "booking date, posted date, post date, posting date, date posted, buchungstag, "
        "buchungsdatum, buchung, date comptable, date operation, date de comptabilisation, "
        "fecha contable, fecha de operacion, fecha operacion, data contabile, data operazione, "
        "boekdatum, boekingsdatum, data movimento, data lancamento, completed date",
        "date, datum, fecha, data, transaction date, date transaction, umsatzdatum",
        "value date, wertstellung, valuta, valutadatum, wertstellungsdatum, date valeur, "
        "date de valeur, fecha valor, data valuta, data valor, rentedatum, started date",
    ),
    Role.AMOUNT: (
        "amount, betrag, umsatz, montant, importe, importo, bedrag, valor, montante, "
        "transaction amount, buchungsbetrag, net amount",
    ),
    Role.DEBIT: (
        "debit, debits, debit amount, soll, lastschrift, ausgang, ausgabe, belastung, cargo, "
        "adeudo, dare, uscite, addebiti, addebito, debet, debito, paid out, withdrawal, "
        "withdrawals, money out, out",
    ),
    Role.CREDIT: (
        "credit, credits, credit amount, haben, gutschrift, eingang, einnahme, abono, avere, "
        "entrate, accrediti, accredito, credito, paid in, deposit, deposits, money in, in",
    ),
    Role.DIRECTION: (
        "debit credit, credit debit, dr cr, cr dr, af bij, soll haben, s h, sens, indicator, "
        "credit debit indicator, direction",
    ),
    Role.CURRENCY: ("currency, wahrung, devise, divisa, moneda, valuta code, munt, moeda, ccy",),
    Role.COUNTERPARTY: (
        "counterparty, payee, payer, recipient, beneficiary, merchant, merchant name, name, "
        "begunstigter zahlungspflichtiger, beguenstigter zahlungspflichtiger, zahlungsempfanger, "
        "auftraggeber empfanger, empfanger, auftraggeber, zahlungspflichtige r, "
        "zahlungsempfanger in, beneficiaire, beneficiario, naam tegenpartij, tegenpartij, "
        "naam omschrijving, contraparte, partner name",
    ),
    Role.DESCRIPTION: (
        "description, verwendungszweck, buchungstext verwendungszweck, libelle, concepto, "
        "descripcion, descrizione, causale, omschrijving, mededelingen, descricao, details, "
        "narrative, memo, payment reference, remittance information",
        "buchungstext, transaction type, notes, note, info, text",
    ),
    Role.EXTERNAL_ID: (
        "id, transaction id, transaction number, external id, fitid, unique id, transaktions id, "
        "transaktionsnummer, umsatz id, numero operation, id transazione, transactie id",
        "reference, reference number, referenz, referencia, riferimento, kenmerk, ref",
    ),
    Role.CATEGORY: ("category, kategorie, categorie, categoria",),
}
_MEANINGS = {
    name.strip(): (role, rank)
    for role, ranks in _NAMES.items()
    for rank, names in enumerate(ranks)
    for name in names.split(",")
}
_CURRENCY_CODE = re.compile(r"\b(in )?(eur|usd|gbp|chf|jpy|cad|aud|pln|czk|sek|nok|dkk)\b")
_LONGEST = 100

OUTWARD = frozenset(
    {"debit", "dr", "d", "dbit", "soll", "s", "af", "out", "outgoing", "belastung", "cargo", "-"}
)
INWARD = frozenset(
    {"credit", "cr", "c", "crdt", "haben", "h", "bij", "in", "incoming", "gutschrift", "abono", "+"}
)


def meaning(name: str) -> tuple[Role, int] | None:
    """What a column of that name is, and its rank among those of the same role, best first."""
    folded = name[:_LONGEST].casefold().translate(_PLAIN)
    bare = _CURRENCY_CODE.sub(" ", re.sub(r"[\W_]+", " ", folded))
    return _MEANINGS.get(" ".join(bare.split()))


_PLAIN = str.maketrans("áàâãäåçéèêëíìîïñóòôõöúùûü", "aaaaaaceeeeiiiinooooouuuu")
