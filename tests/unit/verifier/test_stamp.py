"""Time stamps of a throw-away authority (`openssl ts`), read with the standard library and `cryptography`."""

import time
from hashlib import sha256
from pathlib import Path

import pytest
import rfc3161_client
from cryptography.x509.oid import ExtendedKeyUsageOID
from hypothesis import given, settings
from hypothesis import strategies as st
from rfc3161_client import HashAlgorithm

from rostra.verifier.errors import FlawError
from rostra.verifier.stamp import authorities, parse_stamp, trusted
from stamp_authority import Authority

DATA = b"example.org/rostra/evening\n5\nroot\n"


@pytest.fixture(scope="module")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    return Authority(tmp_path_factory.mktemp("stamps") / "authority")


@pytest.fixture(scope="module")
def token(authority: Authority) -> bytes:
    return authority.token(DATA)


def test_a_stamp_says_when_and_what_and_whose_it_is(authority: Authority, token: bytes) -> None:
    stamp = parse_stamp(token)
    assert stamp.imprint == sha256(DATA).digest()
    assert abs(stamp.at_ms - time.time() * 1_000) < 60_000
    assert stamp.signer.subject.rfc4514_string() == "CN=Time"
    trusted(stamp, authorities(authority.root_pem))


def test_the_library_that_asks_agrees(authority: Authority) -> None:
    request = rfc3161_client.TimestampRequestBuilder().data(DATA).hash_algorithm(HashAlgorithm.SHA256).build()
    answer = rfc3161_client.decode_timestamp_response(authority.reply(request.as_bytes()))
    rfc3161_client.VerifierBuilder().add_root_certificate(authority.root).nonce(
        request.nonce
    ).build().verify_message(answer, DATA)
    stamp = parse_stamp(answer.time_stamp_token())
    assert stamp.at_ms // 1_000 == int(answer.tst_info.gen_time.timestamp())


def test_an_authority_that_is_not_believed_or_may_not_stamp_is_refused(tmp_path: Path, token: bytes) -> None:
    other = Authority(tmp_path / "other")
    with pytest.raises(FlawError, match="leads to no authority"):
        trusted(parse_stamp(token), [other.root])
    with pytest.raises(FlawError, match="no certificate"):
        authorities(b"nothing")


def test_a_certificate_for_something_else_stamps_nothing(tmp_path: Path) -> None:
    server = Authority(tmp_path / "server", usage=ExtendedKeyUsageOID.TIME_STAMPING)
    stamp = parse_stamp(server.token(DATA))
    with pytest.raises(FlawError, match="is no authority for time"):
        trusted(stamp._replace(signer=server.root), [server.root])


@pytest.mark.filterwarnings("ignore::cryptography.utils.CryptographyDeprecationWarning")
@settings(max_examples=200, deadline=None)
@given(data=st.data())
def test_one_changed_byte_is_refused_or_is_of_no_consequence(token: bytes, data: st.DataObject) -> None:
    place = data.draw(st.integers(0, len(token) - 1))
    damaged = bytearray(token)
    damaged[place] ^= data.draw(st.integers(1, 255))
    try:
        stamp = parse_stamp(bytes(damaged))
    except FlawError:
        return
    whole = parse_stamp(token)
    assert (stamp.at_ms, stamp.imprint) == (whole.at_ms, whole.imprint)


@given(st.binary(max_size=300))
def test_what_is_no_stamp_is_refused_in_words(data: bytes) -> None:
    with pytest.raises(FlawError):
        parse_stamp(data)
