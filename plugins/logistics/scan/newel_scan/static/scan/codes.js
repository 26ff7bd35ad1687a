/*
 * What stands in a barcode: the same as codes.py says, so that a device knows it without a connection. A test holds the two together.
 */

const FNC1 = "\x1d";
const GS1 = ["]C1", "]e0", "]d2", "]Q3", "]J1"];
const FIXED = { "00": 18, "01": 14, "02": 14, 11: 6, 12: 6, 13: 6, 15: 6, 16: 6, 17: 6, 20: 2 };
for (let ai = 310; ai < 370; ai += 1) FIXED[ai] = 6;
const MOST = { 10: 20, 21: 20, 22: 20, 30: 8, 37: 8, 240: 30, 241: 30, 250: 30, 251: 30, 400: 30, 401: 30 };
for (let ai = 91; ai < 100; ai += 1) MOST[ai] = 90;
MOST[90] = 30;

const digits = (text) => /^[0-9]+$/.test(text);

/** Whether the last digit is the check digit: modulo 10, weights 3 and 1 from the right. */
export function checked(text) {
  const sum = [...text].reverse().reduce((total, digit, i) => total + Number(digit) * (i % 2 ? 3 : 1), 0);
  return sum % 10 === 0;
}

/** Whether two numbers of 8, 12, 13 or 14 digits are one GTIN. */
export const same = (gtin, other) => Boolean(gtin) && digits(other) && gtin.padStart(14, "0") === other.padStart(14, "0");

const code = (text, found = {}) => ({ text, gtin: "", lot: "", serial: "", expiry: "", quantity: "", sscc: "", problem: "", ...found });

/** Read what a scanner sent. year: of today; it tells the century of a date. */
export function parse(given, year) {
  const mark = /^\][A-Za-z][0-9A-Za-z]/.exec(given)?.[0] ?? "";
  const text = given.slice(mark.length).replace(/^[ \r\n\t]+|[ \r\n\t]+$/g, "");
  if (/^\(\d{2,4}\)/.test(text)) return elements(text, text.split(/\((\d{2,4})\)/).slice(1), year);
  if (GS1.includes(mark) || text.includes(FNC1) || looksGs1(text)) return string(text, year);
  if (digits(text) && [8, 12, 13, 14].includes(text.length) && checked(text)) return code(text, { gtin: text.padStart(14, "0") });
  return code(text);
}

function looksGs1(text) {
  const ai = text.slice(0, 2);
  const head = text.slice(0, 2 + (FIXED[ai] ?? 0));
  return ["00", "01", "02"].includes(ai) && digits(head) && head.length > 14 && checked(head.slice(2));
}

function string(text, year) {
  const parts = [];
  let rest = text.replace(/^\x1d+/, "");
  while (rest) {
    const ai = [2, 3].map((n) => rest.slice(0, n)).find((one) => one in FIXED || one in MOST);
    if (!ai) return code(text, { problem: "identifier" });
    const start = ai in FIXED && ai.length === 3 ? 4 : ai.length;
    const mark = rest.indexOf(FNC1, start);
    const end = ai in FIXED ? start + FIXED[ai] : mark >= 0 ? mark : rest.length;
    parts.push(ai, rest.slice(start, end));
    rest = rest.slice(end).replace(/^\x1d+/, "");
  }
  return elements(text, parts, year);
}

function elements(text, parts, year) {
  const found = new Map();
  for (let i = 0; i < parts.length; i += 2) {
    const ai = parts[i].slice(0, 3) in FIXED ? parts[i].slice(0, 3) : parts[i];
    found.set(ai, parts[i + 1].replace(/\x1d+$/, ""));
  }
  for (const [ai, value] of found) if (wrong(ai, value)) return code(text, { problem: "element" });
  const ends = ["17", "15"].filter((ai) => found.has(ai)).map((ai) => day(found.get(ai), year));
  if (ends.includes(null)) return code(text, { problem: "date" });
  const get = (ai) => found.get(ai) ?? "";
  const count = get("37") || get("30");
  return code(text, {
    gtin: get("01") || get("02"), lot: get("10"), serial: get("21"), sscc: get("00"), expiry: ends[0] ?? "",
    quantity: count ? String(Number(count)) : "",
  });
}

function wrong(ai, value) {
  const [length, most] = [FIXED[ai] ?? 0, MOST[ai] ?? 0];
  if (!length && !most) return true;
  if ((length && [...value].length !== length) || (most && !([...value].length > 0 && [...value].length <= most))) return true;
  if ((length || ai === "30" || ai === "37") && !digits(value)) return true;
  return ["00", "01", "02"].includes(ai) && !checked(value);
}

/** A date of six digits as text; day 00 is the last of its month; the century is the one nearest to today. */
function day(text, now) {
  const [short, month, day_] = [0, 2, 4].map((at) => Number(text.slice(at, at + 2)));
  let year = short + Math.floor(now / 100) * 100;
  year += year - now >= 51 ? -100 : year - now <= -50 ? 100 : 0;
  if (month < 1 || month > 12) return null;
  const last = new Date(Date.UTC(year, month, 0)).getUTCDate();
  if (day_ > last) return null;
  return `${year}-${String(month).padStart(2, "0")}-${String(day_ || last).padStart(2, "0")}`;
}
