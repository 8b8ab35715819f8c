// The scenarios: joins the list, the form, importing and the bin.

import { openPage } from "../page.js";

openPage();
