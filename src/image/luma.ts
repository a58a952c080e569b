/**
 * The brightness of a colour, 0…255, rounded: ITU-R BT.601 weights in 16-bit fixed point, as Pillow's conversion from
 * RGB to L computes it.
 */
export function luma(red: number, green: number, blue: number): number {
  return (red * 19595 + green * 38470 + blue * 7471 + 0x8000) >> 16;
}
