// The script desk: joins the store, the drawing and the commands.

import { openPage } from "../page.js";

openPage();
