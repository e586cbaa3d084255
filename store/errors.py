"""What a query may refuse, as types. The API turns each into one HTTP answer, in one place."""


class StoreError(Exception):
    """Base of all refusals. `code` is stable and machine-readable; `hint` says what to do."""

    code = "store_error"

    def __init__(self, message: str, *, hint: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint


class NotFound(StoreError):
    """There is no such thing in this project. Another project's thing is answered alike."""

    code = "not_found"


class WrongState(StoreError):
    """The action does not fit the state. `state` is the state found."""

    code = "wrong_state"

    def __init__(self, message: str, *, state: str, hint: str = "") -> None:
        super().__init__(message, hint=hint)
        self.state = state


class DatasetNotReady(StoreError):
    """A job names a data set that is not (or no longer) usable."""

    code = "dataset_not_ready"


class ModelNotReady(StoreError):
    """A job names a model that is not (or no longer) usable."""

    code = "model_not_ready"


class ModelInUse(StoreError):
    """The model cannot be deleted while jobs that begin with it are still to run."""

    code = "model_in_use"


class ModelMismatch(StoreError):
    """A job's model does not fit the rest of its spec. `field` is the spec's field."""

    code = "model_mismatch"

    def __init__(self, message: str, *, field: str, hint: str) -> None:
        super().__init__(message, hint=hint)
        self.field = field


class NoWeights(StoreError):
    """The job has no weights of this role to give (yet)."""

    code = "no_weights"


class NoSuchSplit(StoreError):
    """A job names a split that its data set does not have. `field` is the spec's field."""

    code = "no_such_split"

    def __init__(self, message: str, *, field: str, hint: str) -> None:
        super().__init__(message, hint=hint)
        self.field = field


class IdempotencyMismatch(StoreError):
    """The idempotency key was used before with another request."""

    code = "idempotency_mismatch"


class IdempotencyInFlight(StoreError):
    """A request with this idempotency key is being worked on right now."""

    code = "idempotency_in_flight"


class BadCursor(StoreError):
    """A page cursor that this service did not make."""

    code = "bad_cursor"


class LeaseLost(StoreError):
    """A write of an attempt that no longer owns its job; nothing was written. Stop the child at once."""

    code = "lease_lost"


class ObjectMissing(StoreError):
    """The object store has no object of this key."""

    code = "object_missing"


class ObjectDamaged(StoreError):
    """An object's size or sha256 is not what was promised."""

    code = "object_damaged"


class TooLarge(StoreError):
    """A stream went past its limit; nothing was kept."""

    code = "too_large"


class QuotaExceeded(StoreError):
    """The project may not keep so many bytes more."""

    code = "quota_exceeded"


class TooManyJobs(StoreError):
    """The project may not have so many jobs at once."""

    code = "too_many_jobs"


class DeviceHoursSpent(StoreError):
    """The project has used the device hours of this month."""

    code = "device_hours_spent"


class NameTaken(StoreError):
    """Another one has this name already."""

    code = "name_taken"


class ScopeNotHeld(StoreError):
    """A key cannot give what its maker does not have."""

    code = "scope_not_held"


class NoParts(StoreError):
    """The object store takes no objects in parts; it takes them whole."""

    code = "no_parts"


class PartRefused(StoreError):
    """A part of an upload that has no such number, size or checksum; what was there before stays."""

    code = "part_refused"


class UploadIncomplete(StoreError):
    """An upload cannot be completed yet: parts are missing, or have the wrong size."""

    code = "upload_incomplete"


class ContentMismatch(StoreError):
    """What was uploaded is not what was promised; nothing of it was kept."""

    code = "content_mismatch"


class TooManyWebhooks(StoreError):
    """The project may not have more webhooks."""

    code = "too_many_webhooks"


class AddressRefused(StoreError):
    """The service does not send requests there: a private address, or a name that nobody knows."""

    code = "address_refused"
