// Files of the reader, as the base64 of the API: read, and offered as a download.

import { h } from "../dom.js";

const CHUNK = 0x8000; // the most arguments that every browser accepts
const KEPT_FOR = 1_000; // milliseconds until the browser has taken over a download

/** Return the content of a file. Throws: DOMException when the browser cannot read it any more. */
export async function inBase64(file) {
  const bytes = new Uint8Array(await file.arrayBuffer());
  let text = "";
  for (let start = 0; start < bytes.length; start += CHUNK) {
    text += String.fromCharCode(...bytes.subarray(start, start + CHUNK));
  }
  return btoa(text);
}

/** Let the browser save a content. Its type is always that of bytes, so that no browser shows it. */
export function download(content, name) {
  const bytes = Uint8Array.from(atob(content), (sign) => sign.charCodeAt(0));
  const address = URL.createObjectURL(new Blob([bytes], { type: "application/octet-stream" }));
  h("a", { href: address, download: name }).click();
  setTimeout(() => URL.revokeObjectURL(address), KEPT_FOR);
}
