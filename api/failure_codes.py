"""Every `code` in the `error` of a job, data set or model, which no request could know: its cause and its cure."""

FAILURES: dict[str, tuple[str, str]] = {
    "bad_spec": (
        "The spec cannot be carried out with this data set or these models.",
        "Change the field that `message` names; clone the job with the change.",
    ),
    "bad_data": (
        "The data set cannot be used as it is; `message` names the file and the line.",
        "Mend the files and upload them again.",
    ),
    "bad_archive": (
        "The archive cannot be unpacked safely: links, paths that lead out, too many or too large files.",
        "Pack regular files with relative paths.",
    ),
    "unusable_data": (
        "The check found errors in the data set; its `report` lists them by file and line.",
        "Mend the files and upload them again.",
    ),
    "check_failed": (
        "The check of a data set or model broke off more often than is tried.",
        "Upload it again; if it happens again, tell the operator.",
    ),
    "export_failed": (
        "The worker that wrote a data set in another format was lost more often than is tried.",
        "Ask for the export again; if it happens again, tell the operator.",
    ),
    "bad_model_file": ("The file cannot be read as safetensors.", "Send the whole file."),
    "unfit_weights": (
        "The weights do not fit the declared detector; `report` lists each tensor.",
        "Declare the detector, classes and sizes that the weights were made with.",
    ),
    "job_gone": ("The job whose weights were to be taken was deleted.", "Take the weights of a job that is there."),
    "weights_unavailable": (
        "Weights to begin with are not at hand: no network, no file, or another file.",
        "Use `init: random`, or register the weights as a model.",
    ),
    "out_of_memory": (
        "The device ran out of memory, also with a smaller micro-batch where the size was `auto`.",
        "Use a smaller batch_size or image_size.",
    ),
    "diverged": ("The loss stopped being finite.", "Use a smaller learning_rate."),
    "poison": (
        "Several attempts in a row were lost without a newer checkpoint: the job seems to bring its worker down.",
        "See the output of its last attempt.",
    ),
    "infrastructure_lost": (
        "More attempts were lost than the budget allows; nothing is wrong with the job.",
        "Retry it when the workers are well.",
    ),
    "checkpoint_not_written": ("A checkpoint could not be written.", "Make room on the worker's disk, then retry."),
    "checkpoint_damaged": (
        "A warning in the log: a checkpoint did not verify, and the run went on from the one before.",
        "Nothing; if it happens often, look at the object store.",
    ),
    "stopped": ("The run was asked to stop and wrote a checkpoint.", "Nothing: it goes on from there."),
    "job_error": ("Something else went wrong in the run.", "See the job's log."),
}
