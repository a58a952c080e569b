/** Which files the server lets its decoders see. */

/** How files of pixels begin, each byte as a character. */
const BEGINNINGS: Readonly<Record<string, RegExp>> = {
  JPEG: /^\xff\xd8\xff/,
  PNG: /^\x89PNG/,
  WebP: /^RIFF....WEBP/s,
  AVIF: /^....ftyp/s,
  GIF: /^GIF8/,
  TIFF: /^(II\*\0|MM\0\*)/,
};

/**
 * Whether a file begins as one of pixels. Drawings do not: how long an SVG takes has nothing to do with its size, and
 * what draws it cannot be stopped.
 */
export function isPicture(file: Uint8Array): boolean {
  const beginning = String.fromCharCode(...file.subarray(0, 12));
  return Object.values(BEGINNINGS).some((pattern) => pattern.test(beginning));
}

export const FORMATS = Object.keys(BEGINNINGS).join(', ');
