"""What foreign money is worth in yuan, about. For sorting only: nothing is ever booked, and the rates are not kept up.

A paid message has to stand before a plain one, and a large gift before a small one; a rate that is off by a tenth does
that as well as a right one. So this is a table of late 2026 and no service that has to be asked.
"""

from __future__ import annotations

YUAN = {
    "CNY": 1.0, "USD": 7.1, "EUR": 8.2, "GBP": 9.4, "CHF": 8.9, "JPY": 0.047, "KRW": 0.005, "TWD": 0.23, "HKD": 0.91,
    "MOP": 0.88, "SGD": 5.5, "MYR": 1.7, "THB": 0.22, "VND": 0.00027, "IDR": 0.00043, "PHP": 0.12, "INR": 0.08,
    "AUD": 4.6, "NZD": 4.1, "CAD": 5.1, "MXN": 0.38, "BRL": 1.3, "ARS": 0.005, "CLP": 0.0075, "COP": 0.0018, "PEN": 2.1,
    "SEK": 0.75, "NOK": 0.7, "DKK": 1.1, "PLN": 1.95, "CZK": 0.34, "HUF": 0.021, "RON": 1.6, "BGN": 4.2, "RUB": 0.087,
    "UAH": 0.17, "KZT": 0.0135, "TRY": 0.17, "ILS": 2.1, "AED": 1.93, "SAR": 1.9, "EGP": 0.15, "ZAR": 0.4, "NGN": 0.0048,
}  # fmt: skip


def yuan(amount: float, currency: str) -> float | None:
    """The estimate, in yuan with two decimals; None where nothing was paid or the currency is not in the table."""
    rate = YUAN.get(currency.upper())
    return None if rate is None else round(amount * rate, 2) or None
