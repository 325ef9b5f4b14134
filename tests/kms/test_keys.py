"""Keys encrypt, sign and rotate; their policies and grants decide who may use them."""

from __future__ import annotations

import json
from typing import Any

import pytest
from botocore.exceptions import ClientError
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import load_der_public_key
from hypothesis import given
from hypothesis import strategies as st

from homeport.engine.services.kms import ciphertext
from tests.waiting import until

ACCOUNT = "123456789012"


def code(call: Any, **params: Any) -> str:
    with pytest.raises(ClientError) as refused:
        call(**params)
    return refused.value.response["Error"]["Code"]


def make_user(engine: Any, name: str, *actions: str) -> Any:
    iam = engine.client("iam")
    iam.create_user(UserName=name)
    if actions:
        policy = {
            "Version": "2012-10-17",
            "Statement": [{"Effect": "Allow", "Action": list(actions), "Resource": "*"}],
        }
        iam.put_user_policy(UserName=name, PolicyName="own", PolicyDocument=json.dumps(policy))
    key = iam.create_access_key(UserName=name)["AccessKey"]
    return engine.client(
        "kms", aws_access_key_id=key["AccessKeyId"], aws_secret_access_key=key["SecretAccessKey"]
    )


def test_what_a_key_encrypts_it_decrypts_in_the_same_context_only(engine) -> None:
    kms = engine.client("kms")
    key = kms.create_key(Description="d")["KeyMetadata"]
    kms.create_alias(AliasName="alias/app", TargetKeyId=key["KeyId"])

    made = kms.encrypt(KeyId="alias/app", Plaintext=b"text", EncryptionContext={"a": "1"})
    read = kms.decrypt(CiphertextBlob=made["CiphertextBlob"], EncryptionContext={"a": "1"})

    assert (read["Plaintext"], read["KeyId"]) == (b"text", key["Arn"])
    wrong = {"CiphertextBlob": made["CiphertextBlob"], "EncryptionContext": {"a": "2"}}
    assert code(kms.decrypt, **wrong) == "InvalidCiphertextException"
    assert code(kms.decrypt, CiphertextBlob=b"no") == "InvalidCiphertextException"
    other = kms.create_key()["KeyMetadata"]["KeyId"]
    assert code(kms.decrypt, CiphertextBlob=made["CiphertextBlob"], KeyId=other) == "IncorrectKeyException"


def test_data_keys_survive_a_restart_and_a_rotation(own_engine) -> None:
    own_engine.start()
    kms = own_engine.client("kms")
    key = kms.create_key()["KeyMetadata"]["KeyId"]
    made = kms.generate_data_key(KeyId=key, KeySpec="AES_256")
    assert len(made["Plaintext"]) == 32

    own_engine.restart()
    kms.rotate_key_on_demand(KeyId=key)

    assert kms.decrypt(CiphertextBlob=made["CiphertextBlob"])["Plaintext"] == made["Plaintext"]
    assert [one["RotationType"] for one in kms.list_key_rotations(KeyId=key)["Rotations"]] == ["ON_DEMAND"]
    again = kms.generate_data_key(KeyId=key, KeySpec="AES_256")
    assert kms.decrypt(CiphertextBlob=again["CiphertextBlob"])["Plaintext"] == again["Plaintext"]


def test_a_key_that_is_disabled_or_about_to_go_is_not_used(engine) -> None:
    kms = engine.client("kms")
    key = kms.create_key()["KeyMetadata"]["KeyId"]
    use = {"KeyId": key, "Plaintext": b"x"}

    kms.disable_key(KeyId=key)
    assert code(kms.encrypt, **use) == "DisabledException"
    kms.schedule_key_deletion(KeyId=key, PendingWindowInDays=7)
    assert kms.describe_key(KeyId=key)["KeyMetadata"]["KeyState"] == "PendingDeletion"
    assert code(kms.encrypt, **use) == "KMSInvalidStateException"
    kms.cancel_key_deletion(KeyId=key)
    kms.enable_key(KeyId=key)
    assert kms.encrypt(**use)["CiphertextBlob"]


def test_a_key_goes_when_its_time_has_come(own_engine) -> None:
    own_engine.start()
    kms = own_engine.client("kms")
    key = kms.create_key()["KeyMetadata"]["KeyId"]
    kms.create_alias(AliasName="alias/app", TargetKeyId=key)
    kms.schedule_key_deletion(KeyId=key, PendingWindowInDays=7)
    own_engine.kill()

    own_engine.start("--auth", "permissive", HOMEPORT_CLOCK_SPEED="1000000")
    permissive = own_engine.client("kms", aws_access_key_id="any", aws_secret_access_key="key")

    until(lambda: permissive.list_keys()["Keys"] == [])
    assert permissive.list_aliases()["Aliases"] == []


def test_the_services_own_keys_are_there_when_they_are_asked_for(engine) -> None:
    kms = engine.client("kms")

    key = kms.describe_key(KeyId="alias/aws/s3")["KeyMetadata"]

    assert key["KeyManager"] == "AWS"
    assert kms.describe_key(KeyId="alias/aws/s3")["KeyMetadata"]["KeyId"] == key["KeyId"]
    assert code(kms.schedule_key_deletion, KeyId=key["KeyId"]) == "AccessDeniedException"


def test_the_keys_policy_decides(engine) -> None:
    root = engine.client("kms")
    ann, bob = make_user(engine, "ann"), make_user(engine, "bob", "kms:*")
    statements = [
        {
            "Effect": "Allow",
            "Principal": {"AWS": f"arn:aws:iam::{ACCOUNT}:user/ann"},
            "Action": "kms:Encrypt",
        },
        {"Effect": "Allow", "Principal": {"AWS": "123456789012"}, "Action": ["kms:Put*", "kms:Describe*"]},
    ]
    policy = {"Version": "2012-10-17", "Statement": [{**one, "Resource": "*"} for one in statements]}
    key = root.create_key(Policy=json.dumps(policy))["KeyMetadata"]["KeyId"]
    plain = root.create_key()["KeyMetadata"]["KeyId"]

    assert ann.encrypt(KeyId=key, Plaintext=b"x")["CiphertextBlob"]
    assert bob.encrypt(KeyId=plain, Plaintext=b"x")["CiphertextBlob"]
    assert code(ann.encrypt, KeyId=plain, Plaintext=b"x") == "AccessDeniedException"
    with pytest.raises(ClientError, match="because no resource-based policy allows the kms:Encrypt action"):
        bob.encrypt(KeyId=key, Plaintext=b"x")


def test_a_policy_that_locks_its_author_out_is_refused(engine) -> None:
    kms = engine.client("kms")
    statement = {"Effect": "Allow", "Principal": {"Service": "s3.amazonaws.com"}, "Action": "kms:*"}
    policy = json.dumps({"Version": "2012-10-17", "Statement": [{**statement, "Resource": "*"}]})

    assert code(kms.create_key, Policy=policy) == "MalformedPolicyDocumentException"
    assert kms.create_key(Policy=policy, BypassPolicyLockoutSafetyCheck=True)["KeyMetadata"]


def test_a_grant_lets_its_grantee_in_until_it_is_revoked(engine) -> None:
    kms = engine.client("kms")
    ann = make_user(engine, "ann")
    key = kms.create_key()["KeyMetadata"]["KeyId"]
    blob = kms.encrypt(KeyId=key, Plaintext=b"x", EncryptionContext={"a": "1"})["CiphertextBlob"]
    read = {"CiphertextBlob": blob, "EncryptionContext": {"a": "1"}}
    assert code(ann.decrypt, **read) == "AccessDeniedException"

    grant = kms.create_grant(
        KeyId=key,
        GranteePrincipal=f"arn:aws:iam::{ACCOUNT}:user/ann",
        Operations=["Decrypt"],
        Constraints={"EncryptionContextSubset": {"a": "1"}},
    )
    assert ann.decrypt(**read)["Plaintext"] == b"x"
    assert code(ann.encrypt, KeyId=key, Plaintext=b"x") == "AccessDeniedException"
    kms.revoke_grant(KeyId=key, GrantId=grant["GrantId"])

    assert code(ann.decrypt, **read) == "AccessDeniedException"


def test_signatures_are_verified_by_anyone_with_the_public_key(engine) -> None:
    kms = engine.client("kms")
    key = kms.create_key(KeySpec="ECC_NIST_P256", KeyUsage="SIGN_VERIFY")["KeyMetadata"]["KeyId"]
    message = {"KeyId": key, "Message": b"text", "SigningAlgorithm": "ECDSA_SHA_256"}

    signature = kms.sign(**message)["Signature"]
    public = load_der_public_key(kms.get_public_key(KeyId=key)["PublicKey"])

    assert isinstance(public, ec.EllipticCurvePublicKey)
    public.verify(signature, b"text", ec.ECDSA(hashes.SHA256()))
    assert kms.verify(**message, Signature=signature)["SignatureValid"]
    forged = {**message, "Message": b"other", "Signature": signature}
    assert code(kms.verify, **forged) == "KMSInvalidSignatureException"
    assert code(kms.encrypt, KeyId=key, Plaintext=b"x") == "InvalidKeyUsageException"


def test_macs(engine) -> None:
    kms = engine.client("kms")
    key = kms.create_key(KeySpec="HMAC_256", KeyUsage="GENERATE_VERIFY_MAC")["KeyMetadata"]["KeyId"]
    message = {"KeyId": key, "Message": b"text", "MacAlgorithm": "HMAC_SHA_256"}

    mac = kms.generate_mac(**message)["Mac"]

    assert kms.verify_mac(**message, Mac=mac)["MacValid"]
    assert code(kms.verify_mac, **message, Mac=mac[::-1]) == "KMSInvalidMacException"


def test_key_material_lies_sealed(own_engine) -> None:
    own_engine.start()
    kms = own_engine.client("kms")
    key = kms.create_key()["KeyMetadata"]["KeyId"]
    made = kms.generate_data_key(KeyId=key, KeySpec="AES_256")
    own_engine.stop()

    written = b"".join(path.read_bytes() for path in own_engine.data.rglob("*") if path.is_file())

    assert made["Plaintext"] not in written
    own_engine.start()


@given(st.binary(max_size=200), st.dictionaries(st.text(), st.text(), max_size=3), st.binary(max_size=60))
def test_law_a_blob_is_read_in_its_own_context_only(
    plaintext: bytes, context: dict[str, str], noise: bytes
) -> None:
    blob = ciphertext.encrypt("key", b"m" * 32, 3, plaintext, context)

    assert ciphertext.key_of(blob) == ("key", 3)
    assert ciphertext.decrypt(blob, b"m" * 32, context) == plaintext
    with pytest.raises(ciphertext.InvalidCiphertext):
        ciphertext.decrypt(blob, b"m" * 32, {**context, "more": "1"} if "more" not in context else {})
    with pytest.raises(ciphertext.InvalidCiphertext):
        ciphertext.decrypt(blob[:-1] + bytes((blob[-1] ^ 1,)), b"m" * 32, context)
