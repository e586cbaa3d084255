from urllib.parse import parse_qs, urlsplit

import pytest
from botocore.auth import S3SigV4QueryAuth  # type: ignore[import-untyped] # publishes no types
from botocore.awsrequest import AWSRequest  # type: ignore[import-untyped] # publishes no types
from botocore.credentials import Credentials  # type: ignore[import-untyped] # publishes no types

from store.objects.signature import sign_again

# The example of the Amazon S3 API reference, "Authenticating Requests: Using Query Parameters".
SECRET = "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY"
LINK = (
    "https://examplebucket.s3.amazonaws.com/test.txt?X-Amz-Algorithm=AWS4-HMAC-SHA256"
    "&X-Amz-Credential=AKIAIOSFODNN7EXAMPLE%2F20130524%2Fus-east-1%2Fs3%2Faws4_request"
    "&X-Amz-Date=20130524T000000Z&X-Amz-Expires=86400&X-Amz-SignedHeaders=host&X-Amz-Signature=unsigned"
)
SIGNATURE = "aeeed9bbccd4d02ee5c0109b86d86835f995330da4c265957d157751f604d404"


def signature(link: str) -> str:
    return parse_qs(urlsplit(link).query)["X-Amz-Signature"][0]


def reference(link: str, method: str) -> str:
    """The signature that botocore gives the same request."""
    auth = S3SigV4QueryAuth(Credentials("AKIAIOSFODNN7EXAMPLE", SECRET), "s3", "us-east-1")
    request = AWSRequest(method=method, url=link.rpartition("&X-Amz-Signature=")[0])
    request.context["timestamp"] = "20130524T000000Z"
    return str(auth.signature(auth.string_to_sign(request, auth.canonical_request(request)), request))


def test_the_example_of_the_specification_is_met() -> None:
    assert signature(sign_again(LINK, SECRET, {})) == SIGNATURE


@pytest.mark.parametrize("method", ["GET", "DELETE"])
@pytest.mark.parametrize(
    "parameters",
    [
        {"response-content-disposition": "attachment; filename*=UTF-8''a%20b%2Bc.pt"},
        {"uploads": "", "prefix": "objects/a=b~c d+e&f"},
        {"X-Amz-Security-Token": "a/b+c=="},
    ],
)
def test_botocore_signs_alike(parameters: dict[str, str], method: str) -> None:
    link = sign_again(LINK, SECRET, parameters, method=method, path="/jobs/a%3Db")
    assert urlsplit(link).path == "/jobs/a%3Db"
    assert signature(link) == reference(link, method)
    assert {name: parse_qs(urlsplit(link).query, keep_blank_values=True)[name] for name in parameters} == {
        name: [value] for name, value in parameters.items()
    }


def test_a_link_with_other_signed_headers_is_refused() -> None:
    with pytest.raises(ValueError, match="signed"):
        sign_again(LINK.replace("SignedHeaders=host", "SignedHeaders=host%3Brange"), SECRET, {})


def test_botocore_signs_a_header_alike() -> None:
    link = sign_again(LINK, SECRET, {"partNumber": "1"}, method="PUT", headers={"content-length": "8"})
    auth = S3SigV4QueryAuth(Credentials("AKIAIOSFODNN7EXAMPLE", SECRET), "s3", "us-east-1")
    unsigned = link.rpartition("&X-Amz-Signature=")[0]
    request = AWSRequest(method="PUT", url=unsigned, headers={"Content-Length": "8"})
    request.context["timestamp"] = "20130524T000000Z"
    assert signature(link) == auth.signature(auth.string_to_sign(request, auth.canonical_request(request)), request)
