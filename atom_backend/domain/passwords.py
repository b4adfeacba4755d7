"""Which passwords are accepted (NIST SP 800-63B, section 3.1.1.2): long ones that nobody guesses
first; of which kinds of characters they are made is not asked.
"""

from __future__ import annotations

from itertools import pairwise

from atom_backend.domain.limits import PASSWORD_FEWEST_CHARS
from atom_backend.errors import FieldProblem, InvalidInput

_MOST_COMMON = """
    1q2w3e4r5t 1qaz2wsx3edc 1qazxsw23edc adminadmin administrator america123 andrew1234
    asdfghjkl1 asdfghjkl; asdfghjkl123 baseball123 basketball changeme12 changeme123 charlie123
    chocolate1 computer123 correcthorsebatterystaple daniel1234 default123 dragon1234 england123
    facebook123 football12 football123 hello12345 helloworld iloveyou12 iloveyou123 iloveyou1234
    jennifer12 jessica123 jordan1234 letmein123 letmein1234 liverpool1 liverpool123 manchester
    master1234 michael123 michelle12 minecraft1 minecraft123 monkey1234 mynoob1234 naruto1234
    nicole1234 passw0rd12 passw0rd123 password00 password01 password10 password11 password12
    password123 password1234 password12345 password123456 password2020 password2021 password2022
    password2023 password2024 password2025 password2026 password99 pokemon123 princess12
    princess123 q1w2e3r4t5 q1w2e3r4t5y6 qazwsxedc1 qazwsxedcrfv qwer123456 qwert12345
    qwerty1234 qwerty12345 qwerty123456 qwertyuiop qwertyuiop1 qwertyuiop123 qwertyuiop[]
    samsung123 secret1234 shadow1234 spiderman1 starwars12 starwars123 strawberry sunshine12
    sunshine123 superman12 superman123 testtest12 trustno1234 unknown123 welcome123 welcome1234
    whatever12 whatever123 zaq12wsxcde3 zxcvbnm123 zxcvbnm1234 zxcvbnm,./
"""
"""Of those that are long enough to come here; runs and repetitions are found by rule."""

_COMMON = frozenset(_MOST_COMMON.split())
_PERIODS = range(1, 5)


def require_acceptable(password: str, email: str, *, pointer: str) -> None:
    """Raises InvalidInput that says what is wrong, at ``pointer``."""
    wrong = _wrong(password.casefold(), email.strip().casefold())
    if wrong is not None:
        raise InvalidInput(
            "Choose another password.",
            code="unacceptable_password",
            problems=[FieldProblem(pointer, wrong)],
        )


def _wrong(password: str, email: str) -> str | None:
    if len(password) < PASSWORD_FEWEST_CHARS:
        return f"Use at least {PASSWORD_FEWEST_CHARS} characters."
    if password in (email, email.partition("@")[0]):
        return "The e-mail address is the first thing that is tried."
    if password in _COMMON or _repeats(password) or _runs(password):
        return "This is among the passwords that are tried first."
    return None


def _repeats(password: str) -> bool:
    """A few characters again and again, as in ``abcabcabcabc``."""
    return any(password == (password[:one] * len(password))[: len(password)] for one in _PERIODS)


def _runs(password: str) -> bool:
    """Each character the next one, or the one before, as in ``1234567890``."""
    steps = {ord(after) - ord(before) for before, after in pairwise(password)}
    if password.isdecimal():
        steps -= {9, -9}  # from 9 on to 0
    return steps in ({1}, {-1})
