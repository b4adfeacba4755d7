"""Texts on which an exported model must agree with its source.

They are of the kinds that assistants store, in several scripts, from one word to a paragraph.
"""

from __future__ import annotations

SAMPLES: tuple[str, ...] = (
    "rent",
    "Who is picking up the children on Thursday?",
    "Lunch with Amira at the harbour, half past twelve.",
    "Please renew my passport before the trip to Lisbon in March.",
    "Your parcel 4471-B was handed to a neighbour at number 12.",
    "The landlord confirmed that the boiler will be replaced on 3 November between 8 and 11.",
    "Paid 84.20 EUR to City Energy by direct debit; the balance is 1,209.77 EUR.",
    "Reminder: the dentist moved the appointment from Monday to Wednesday at 09:15.",
    "def total(rows):\n    return sum(row.amount for row in rows if not row.cancelled)",
    "SELECT owner, count(*) FROM tasks WHERE done IS FALSE GROUP BY owner;",
    "https://example.org/orders/2024/88?ref=mail&lang=en",
    "Die Krankenkasse verlangt die Rechnung bis Ende des Monats.",
    "Le contrat d'assurance se renouvelle chaque année sauf avis contraire.",
    "La reunión del martes se aplazó porque faltaba el presupuesto.",
    "明日の会議は午後三時からに変更されました。",
    "Договор аренды подписан, ключи передадут в пятницу.",
    "Buy oats, lemons, two cartons of milk, a light bulb (E27) and something for the cat.",
    "Subject: minutes of the meeting\n\nWe agreed to postpone the release by one week, because "
    "two of the five acceptance tests still fail on the older phones.",
    "To reset the alarm, hold both buttons until the lamp blinks twice, then enter the code "
    "within ten seconds. After three wrong codes the panel stays locked for a quarter of an hour.",
    "Blood pressure 128 over 82 in the morning, 135 over 88 in the evening. The doctor would like "
    "a diary of two weeks before she decides whether the dose needs to change.",
    "The recipe takes an hour. Soften the onions slowly, add the rice and stir until it turns "
    "glassy, then give it the hot stock one ladle at a time. Finish with butter, lemon peel and "
    "plenty of pepper, and let it rest under a lid for two minutes before serving.",
    "The tenant may end the agreement with three months' notice to the end of a month. The deposit "
    "of two monthly rents is kept in a separate account and is returned with interest after the "
    "flat has been handed over, less the cost of damage that exceeds ordinary wear. Small repairs "
    "up to one hundred euros are borne by the tenant, at most four times in a year.",
    "In the first quarter revenue grew by eleven percent, mostly because of the northern region, "
    "while the cost of goods rose by four. Two large customers extended their contracts to three "
    "years. Headcount stayed at fifty-eight. For the second quarter we expect slower growth, since "
    "the new warehouse opens in May and the old one cannot be sublet before the end of August.",
    "Day one: train to Porto, check in, walk along the river, dinner at eight. Day two: the tiled "
    "station, the bookshop before the crowds, lunch at the market, a boat in the afternoon. Day "
    "three: bus to Braga, the stairs and the garden, back by seven. Day four is free; if it rains, "
    "visit the museum of transport, else take the tram to the sea and bring a towel.",
)
