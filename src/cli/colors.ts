/** Colors where they help and are wanted: on a terminal, without NO_COLOR (no-color.org). */

const CODES = { bold: [1, 22], dim: [2, 22], red: [31, 39], green: [32, 39], yellow: [33, 39] } as const;

export type Style = keyof typeof CODES;

/** What is styled as asked on this stream, or plain. */
export type Paint = (style: Style, text: string) => string;

export function painter(stream: { isTTY?: boolean } = process.stdout, env = process.env): Paint {
  const hasColors = stream.isTTY === true && !env.NO_COLOR && env.TERM !== 'dumb';
  return (style, text) => {
    const [on, off] = CODES[style];
    return hasColors ? `\u001b[${on}m${text}\u001b[${off}m` : text;
  };
}
