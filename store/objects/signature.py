"""Signed links (AWS Signature Version 4 in the query) with parameters that obstore cannot sign.

obstore signs a link to an object, with the right host, region and token. `sign_again` changes what the link asks for
and signs it anew. Source: "Authenticating Requests: Using Query Parameters" of the Amazon S3 API reference.
"""

import hashlib
import hmac
from collections.abc import Mapping
from urllib.parse import parse_qsl, quote, urlsplit, urlunsplit

_ALGORITHM = "AWS4-HMAC-SHA256"


def sign_again(
    link: str,
    secret_key: str,
    parameters: Mapping[str, str],
    *,
    method: str = "GET",
    path: str | None = None,
    headers: Mapping[str, str] | None = None,
) -> str:
    """A link as `link`, with more query parameters, and with another method or path where given.

    link: signed, of host alone. path: percent-encoded as it is to be sent. headers: in lower case, that the request
    must come with as they are here. Raises ValueError for another kind of link.
    """
    parts = urlsplit(link)
    query = dict(parse_qsl(parts.query, keep_blank_values=True))
    if query.get("X-Amz-Algorithm") != _ALGORITHM or query.get("X-Amz-SignedHeaders") != "host":
        raise ValueError("the link is not signed as expected")
    del query["X-Amz-Signature"]
    signed = dict(sorted({"host": parts.netloc, **(headers or {})}.items()))
    query |= {**parameters, "X-Amz-SignedHeaders": ";".join(signed)}
    where = parts.path if path is None else path
    sorted_query = "&".join(sorted(f"{_encoded(name)}={_encoded(value)}" for name, value in query.items()))
    lines = [f"{name}:{value}" for name, value in signed.items()]
    request = "\n".join([method, where, sorted_query, *lines, "", ";".join(signed), "UNSIGNED-PAYLOAD"])
    scope = query["X-Amz-Credential"].partition("/")[2]
    to_sign = "\n".join([_ALGORITHM, query["X-Amz-Date"], scope, hashlib.sha256(request.encode()).hexdigest()])
    key = f"AWS4{secret_key}".encode()
    for part in scope.split("/"):
        key = hmac.digest(key, part.encode(), "sha256")
    signature = hmac.digest(key, to_sign.encode(), "sha256").hex()
    return urlunsplit((parts.scheme, parts.netloc, where, f"{sorted_query}&X-Amz-Signature={signature}", ""))


def _encoded(text: str) -> str:
    return quote(text, safe="-_.~")
