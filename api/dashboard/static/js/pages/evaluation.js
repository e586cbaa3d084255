// The evaluation of a job: curves of precision over recall, one class at a time.

import { drawPrecisionRecall } from "../precision_recall.js";

const sheet = document.querySelector("[data-pr]");
if (sheet) drawPrecisionRecall(sheet);
