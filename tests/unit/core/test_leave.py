import pytest

from rostra.core.leave import NONCE, proof, proves

TOKEN, NONCE_1, NONCE_2 = "a secret of some length", "0" * 32, "1" * 32


def test_who_knows_the_secret_proves_it() -> None:
    assert proves(proof(TOKEN, host="radio.example", nonce=NONCE_1), TOKEN, host="Radio.example", nonce=NONCE_1)


@pytest.mark.parametrize(
    ("token", "host", "nonce"),
    [
        ("another secret", "radio.example", NONCE_1),
        (TOKEN, "other.example", NONCE_1),
        (TOKEN, "radio.example", NONCE_2),
    ],
)
def test_another_secret_host_or_day_proves_nothing(token: str, host: str, nonce: str) -> None:
    assert not proves(proof(token, host=host, nonce=nonce), TOKEN, host="radio.example", nonce=NONCE_1)


def test_an_answer_that_is_no_text_of_ours_proves_nothing() -> None:
    assert not proves("é", TOKEN, host="radio.example", nonce=NONCE_1)


def test_a_nonce_is_32_hexadecimal_digits() -> None:
    assert NONCE.fullmatch(NONCE_1)
    assert not NONCE.fullmatch(NONCE_1[:-1])
    assert not NONCE.fullmatch("G" * 32)
