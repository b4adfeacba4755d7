"""Documents of the demonstration: what a household keeps on paper."""

from __future__ import annotations

from collections.abc import Iterator

from atom_backend.domain.demonstration.pieces import Piece, named

_LEASE = """\
Lease of the flat on the second floor, between the landlord and the tenant.

1. The rent is 940.00 EUR a month and is due on the third working day. Heating and water are \
paid in advance with 160.00 EUR a month and settled once a year.

2. The landlord may raise the rent once in fifteen months, and by no more than eight percent in \
three years. A raise is announced in writing and begins with the third month after it.

3. Either side may end the lease by the third working day of a month; the tenant leaves three \
months later, the landlord's notice is six months after five years.

4. Walls may be painted in any colour and are handed back in a light one. Drilling into tiles \
needs a word with the landlord first.

5. One cat is allowed. Bicycles stand in the yard, prams in the hall."""

_BOILER = """\
The boiler hangs in the bathroom cupboard. The pressure should be between 1.2 and 1.8 bar; below \
that, open the black valve under it slowly and close it again at 1.5.

If it shows E3, the flame did not catch: press reset once, wait two minutes, press it again. \
After the third time call the plumber, and do not go on trying.

Bleed the radiators in October, beginning with the lowest. The last service was in March, the \
next is due after a year."""

_BREAD = """\
Sourdough rye, two loaves. In the evening mix 250 g of rye flour, 250 g of water at 40 degrees \
and 50 g of starter, and leave it covered beside the stove.

In the morning add 500 g of rye flour, 250 g of wheat flour, 480 g of water and 20 g of salt. \
Knead for five minutes, rest for forty, shape, and let it rise for an hour.

Bake at 250 degrees with steam for fifteen minutes, then at 200 for forty. It is done when it \
sounds hollow. Do not cut it before it is cold."""

_PIANO = """\
The piano is an upright from before the war, about 230 kg. It came up the stairs with four \
carriers and two belts; the window is too narrow by a hand.

The tuner says that it wants a room between 45 and 60 percent of humidity and no radiator within \
a metre. It is tuned to 438 Hz, because the frame would not stand more, once in autumn."""

_TRAVEL = """\
Packing for the island. Passports, the ferry tickets (printed, there is no reception at the \
pier), the insurance card, the charger with the flat plug, swimming things, the red tent and its \
pegs, tablets against seasickness, a rope for the washing.

The house key lies with the neighbour on the first floor. Turn the water off under the sink, \
leave the fridge open, and take the rubbish down."""

_INSURANCE = """\
Household insurance, summary of the policy. Covered are fire, burst pipes, storm above 62 km/h \
and burglary, up to 60,000 EUR; bicycles at night only when they are locked to something.

Each claim costs 150 EUR of one's own. Damage is reported within a week, with photographs, \
before anything is thrown away. The policy renews itself in November unless it is ended three \
months before."""

_GARDEN = """\
The allotment behind the station, plan for the year. Bed one: beans after potatoes. Bed two: \
tomatoes under the roof, never beside the potatoes. Bed three: salad, radishes, and in July \
leek.

The water is turned on after Easter and off before the first frost. Compost is turned in March. \
The old apple tree is cut on a dry day in February, a third of the new wood and no more."""

_CHOIR = """\
Choir, notes of the meeting. The summer concert is a requiem and five madrigals. Rehearsals are \
on Tuesdays at half past seven in the school hall; from May on there are two sectionals on \
Saturdays.

The tenors are few: everybody asks one friend. Black clothes without ties. Scores are returned \
without pencil marks."""

_WIFI = """\
The network at home. The router stands in the hall above the door and restarts itself on Sundays \
at four in the morning. Guests use the second network, which reaches the internet and nothing \
else.

The printer has a fixed address and forgets it after a power cut: hold its green button for ten \
seconds, then choose the network again."""


def papers() -> Iterator[Piece]:
    """The documents."""
    texts = {
        "lease": ("Lease of the flat", _LEASE, ("home", "contract")),
        "boiler": ("How the boiler works", _BOILER, ("home",)),
        "bread": ("Sourdough rye bread", _BREAD, ("kitchen",)),
        "piano": ("About the piano", _PIANO, ("home", "music")),
        "packing": ("Packing list for the island", _TRAVEL, ("travel",)),
        "insurance": ("Household insurance", _INSURANCE, ("home", "contract")),
        "garden": ("The allotment through the year", _GARDEN, ("garden",)),
        "choir": ("Choir meeting", _CHOIR, ("music",)),
        "network": ("Router and printer", _WIFI, ("home",)),
    }
    return named(
        "documents",
        {
            name: {"title": title, "text": text, "tags": tags}
            for name, (title, text, tags) in texts.items()
        },
    )
