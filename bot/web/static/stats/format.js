// Numbers for people.

import { language, t } from "../texts.js";

const locale = () => (language() === "zh" ? "zh-CN" : "en");

export function count(value) {
  return new Intl.NumberFormat(locale(), { maximumFractionDigits: 1 }).format(value);
}

export function percent(share) {
  return share === null ? "–" : new Intl.NumberFormat(locale(), { style: "percent", maximumFractionDigits: share < 0.1 ? 1 : 0 }).format(share);
}

/** Seconds, in the unit in which one would say them: 0.04 秒, 12 秒, 3 分 20 秒, 2 小时 5 分. */
export function seconds(value) {
  if (value === null) return "–";
  const [hour, minute, second] = language() === "zh" ? [" 小时", " 分", " 秒"] : [" h", " min", " s"];
  if (value >= 3600) return `${Math.floor(value / 3600)}${hour} ${Math.floor((value % 3600) / 60)}${minute}`;
  if (value >= 100) return `${Math.floor(value / 60)}${minute} ${Math.round(value % 60)}${second}`;
  return `${new Intl.NumberFormat(locale(), { maximumSignificantDigits: value < 1 ? 2 : 3 }).format(value)}${second}`;
}

/** The name of a character; narration has none. */
export const person = (name) => name || t("column.narrator");
