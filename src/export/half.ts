/** Half precision: IEEE 754 binary16, of which JavaScript has arrays only from Node 24 on. */

const bits = new Uint32Array(1);
const float = new Float32Array(bits.buffer);

/** The nearest binary16 number, ties to even, as its 16 bits; beyond ±65,504 infinity. */
export function toHalf(value: number): number {
  float[0] = value;
  const sign = (bits[0] >>> 16) & 0x8000;
  const magnitude = bits[0] & 0x7fffffff;
  if (magnitude > 0x7f800000) return sign | 0x7e00; // NaN
  if (magnitude >= 0x477ff000) return sign | 0x7c00; // 65,520 and more
  if (magnitude < 0x38800000) {
    // subnormal, in steps of 2⁻²⁴: adding ½ in single precision leaves exactly these steps, rounded
    float[0] = Math.abs(float[0]) + 0.5;
    return sign | (bits[0] - 0x3f000000);
  }
  const rounded = magnitude + 0xfff + ((magnitude >>> 13) & 1);
  return sign | ((rounded - 0x38000000) >>> 13);
}
