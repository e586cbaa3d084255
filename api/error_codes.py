"""Every `code` of a problem: its status, what causes it, and its cure. `docs/errors.md` and /v1/errors are made of it.

A test compares this list with what the code raises: a new code is added here, then `make docs`.
"""

from dataclasses import dataclass

ADDRESS = "/v1/errors/"


@dataclass(frozen=True)
class Meaning:
    """What a code says. status: of the answers that have it."""

    status: int
    cause: str
    cure: str


CODES: dict[str, Meaning] = {
    "bad_request": Meaning(
        400,
        "The request is not HTTP as this service reads it.",
        "Send it with an HTTP library rather than by hand.",
    ),
    "host_not_allowed": Meaning(
        400,
        "The request's Host header names a host that is not this service's.",
        "Use one of the names that it answers under; the operator lists them in FGFI_ALLOWED_HOSTS.",
    ),
    "upload_broken": Meaning(
        400,
        "The connection broke before the body was complete. Of a file sent whole nothing was kept.",
        "Send it again; in an upload in parts only the part that broke.",
    ),
    "not_authenticated": Meaning(
        401,
        "There is no API key in the request, or it is mistyped, expired or revoked.",
        "Send `Authorization: Bearer fgfi_...` with a valid key; whoever runs the service makes them.",
    ),
    "forbidden": Meaning(403, "This may not be done.", "See `detail`."),
    "scope_missing": Meaning(
        403,
        "The key is valid, but its scopes do not include what the call needs.",
        "Use a key with the scope that `detail` names: admin includes submit, submit includes read.",
    ),
    "cross_site": Meaning(
        403,
        "A browser sent a changing request with the dashboard's session from a page of another site.",
        "Programs use an API key instead of a session.",
    ),
    "quota_exceeded": Meaning(
        403,
        "The project may not keep so many bytes more.",
        "Delete data sets, models or open uploads, or have FGFI_PROJECT_BYTES raised.",
    ),
    "device_hours_spent": Meaning(
        403,
        "The project has used the device hours of this month.",
        "Wait for the next month, or have its limit raised; GET /v1/usage tells what is used.",
    ),
    "scope_not_held": Meaning(
        403, "A key cannot give what it does not have itself.", "Make the new key with a key that has its scopes."
    ),
    "not_found": Meaning(
        404,
        "There is no such path, or nothing of this id in the key's project; what other projects own is answered alike.",
        "Look the id up in the list it comes from. It may have been deleted.",
    ),
    "dataset_not_found": Meaning(
        404,
        "The spec names a data set that the project does not have.",
        "GET /v1/datasets lists what there is; it may have been deleted.",
    ),
    "method_not_allowed": Meaning(
        405, "The path exists, but not with this method.", "The Allow header lists the methods that it takes."
    ),
    "not_acceptable": Meaning(406, "The answer does not exist in a form that the request accepts.", "Accept JSON."),
    "conflict": Meaning(409, "The request does not fit what is there now.", "Read it again, then decide."),
    "wrong_kind": Meaning(
        409,
        "The action fits only jobs of another kind: an evaluation trains nothing, and only distillations are cloned.",
        "POST its spec to /v1/evaluations again.",
    ),
    "wrong_state": Meaning(
        409,
        "The action does not fit the state: a job that is over cannot be paused, an upload that is complete takes no "
        "parts.",
        "Read it again; `hint` says in which states the action is possible.",
    ),
    "dataset_not_ready": Meaning(
        409,
        "The data set is still being received or checked, or was rejected.",
        "Wait until its state is `ready`; of a rejected one, its `report` says what to mend.",
    ),
    "model_not_ready": Meaning(
        409,
        "The model is still being received or checked, or was rejected.",
        "Wait until its state is `ready`; of a rejected one, its `error` says what does not fit.",
    ),
    "model_in_use": Meaning(
        409,
        "The model cannot be deleted while jobs that begin with it are still to run.",
        "Wait for those jobs, or cancel them first.",
    ),
    "no_weights": Meaning(
        409,
        "The job has no weights of this role to give, or not yet.",
        "Wait until the job has succeeded; a teacher can be taken as soon as its training is over.",
    ),
    "too_many_jobs": Meaning(
        409,
        "The project may not have so many jobs at once.",
        "Wait until some have ended, cancel what is not needed, or have its limit raised.",
    ),
    "too_many_webhooks": Meaning(
        409, "The project has as many webhooks as it may have.", "Delete one that is not needed."
    ),
    "name_taken": Meaning(409, "Another one has this name already.", "Choose another name."),
    "idempotency_in_flight": Meaning(
        409,
        "A request with the same Idempotency-Key is being worked on right now.",
        "Send it again in a second: it is answered with the job that the first one made.",
    ),
    "no_links": Meaning(
        409,
        "Parts go through the API: the service keeps its objects in a folder, or its store cannot be reached from "
        "outside.",
        "PUT the parts to /v1/uploads/{id}/parts/{number}.",
    ),
    "no_parts": Meaning(
        409, "The object store takes no objects in parts.", "Send the archive whole by POST /v1/datasets."
    ),
    "object_missing": Meaning(
        410,
        "The row is there and its file is gone from the object store.",
        "Tell the operator: objects are never deleted before their rows.",
    ),
    "too_large": Meaning(
        413,
        "The body is larger than this call takes.",
        "Send less; FGFI_MAX_REQUEST_BYTES, FGFI_MAX_UPLOAD_BYTES and FGFI_MAX_MODEL_BYTES are the limits.",
    ),
    "unsupported_media_type": Meaning(
        415, "The body's Content-Type is none that this call reads.", "Send one that `detail` names."
    ),
    "not_an_archive": Meaning(
        415,
        "The upload does not begin as a zip, tar, tar.gz or tar.zst does.",
        "Pack the data set's folder as one of these.",
    ),
    "not_safetensors": Meaning(
        415,
        "The file does not begin as a safetensors file does.",
        "Save the weights by `safetensors.torch.save_file`; pickled ones may run code and are never taken.",
    ),
    "range_not_satisfiable": Meaning(
        416, "The Range asked for lies outside the file.", "The Content-Range header says how long it is."
    ),
    "invalid": Meaning(
        422,
        "Fields of the body, the query or a header are wrong or missing.",
        "`errors` names each field, what is wrong with it and what to write.",
    ),
    "no_such_device_class": Meaning(
        422, "No class of workers has this name.", "`hint` lists the classes; FGFI_DEVICE_CLASSES adds to them."
    ),
    "no_such_split": Meaning(
        422,
        "The spec names a split that the data set does not have.",
        "Take one of those that `hint` lists.",
    ),
    "same_label": Meaning(
        422, "Two variants of a group have the same label.", "Give one of them another, or leave it out."
    ),
    "model_mismatch": Meaning(
        422,
        "A model does not fit the rest of the spec: other classes, another detector.",
        "`errors` names the field, `hint` what would fit.",
    ),
    "file_without_model": Meaning(
        422,
        "The spec takes weights from a file, which only `fgfi train` can read.",
        "Register the file by POST /v1/models and name the model's id.",
    ),
    "idempotency_mismatch": Meaning(
        422,
        "The Idempotency-Key was used before with another request.",
        "Use a new key for a new job.",
    ),
    "bad_cursor": Meaning(
        422, "The cursor was not made by this service, or for another list.", "Begin again without a cursor."
    ),
    "empty_upload": Meaning(422, "The body is empty.", "Send the file's bytes as the body."),
    "bad_model_file": Meaning(
        422,
        "The file begins as safetensors and is damaged, or its length is not what its header says.",
        "Send the whole file, and nothing after it.",
    ),
    "part_refused": Meaning(
        422,
        "The part has a number, a size or a checksum that the upload does not expect. What was there before stays.",
        "Send `part_size` bytes in each part but the last, and the Content-Digest of these very bytes.",
    ),
    "upload_incomplete": Meaning(
        422,
        "The upload cannot be completed: parts are missing or have another size.",
        "GET the upload; send the parts that `received` lacks, then complete it.",
    ),
    "content_mismatch": Meaning(
        422,
        "The whole upload has another sha256 than was promised; nothing of it was kept.",
        "Begin a new upload of the file as it is now.",
    ),
    "address_refused": Meaning(
        422,
        "The service sends nothing there: the name is not known, or one of its addresses is not public.",
        "Use a public address; the operator may allow private networks in FGFI_CALLED_NETWORKS.",
    ),
    "too_many_requests": Meaning(429, "The key asked too often.", "Wait as long as the Retry-After header says."),
    "internal_error": Meaning(
        500,
        "A fault of the service.",
        "Give the operator the `request_id`: the log has the reason under it.",
    ),
    "store_error": Meaning(500, "As internal_error.", "As internal_error."),
    "object_damaged": Meaning(
        500, "An object of the store has another size or sha256 than was noted.", "As internal_error."
    ),
    "lease_lost": Meaning(500, "As internal_error; only workers hold leases.", "As internal_error."),
    "unavailable": Meaning(503, "A part of the service does not answer.", "Try again in a few seconds."),
    "database_unavailable": Meaning(
        503,
        "The database does not answer. Whether the last change was made is not known.",
        "Try again in a few seconds, creations with an Idempotency-Key.",
    ),
    "object_store_unavailable": Meaning(503, "The object store does not answer.", "Try again in a few seconds."),
    "object_store_refused": Meaning(
        503, "The object store refuses the service's own credentials or bucket.", "Tell the operator."
    ),
    "object_store_full": Meaning(507, "The object store has no room left.", "Tell the operator; nothing was kept."),
}

# The codes that an answer of a status has unless its call says more.
OF_STATUS: dict[int, tuple[str, ...]] = {
    400: ("host_not_allowed",),
    401: ("not_authenticated",),
    403: ("scope_missing", "cross_site"),
    404: ("not_found",),
    409: ("conflict",),
    410: ("object_missing",),
    413: ("too_large",),
    415: ("unsupported_media_type",),
    416: ("range_not_satisfiable",),
    422: ("invalid",),
    429: ("too_many_requests",),
    500: ("internal_error",),
    503: ("database_unavailable",),
    507: ("object_store_full",),
}
