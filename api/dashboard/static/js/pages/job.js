// The page of one job.

import "../apiform.js";
import { drawCharts } from "../charts.js";
import { followLog } from "../log.js";

followLog(document.querySelector("[data-log]"));
drawCharts(document.querySelector("[data-charts]"));
