/**
 * AugF: features refined and augmented by attention to class prototypes (Kuo et al. 2020, section 3.2, equations 1–3).
 */
import { Dropout, type InitializeOptions, Linear, Module } from '../../nn/index.js';
import { concatenate, type Tensor, tidy } from '../../tensor/index.js';

export interface FeatureAugmentationOptions extends InitializeOptions {
  /** f_dim */
  readonly featureDimension: number;
  readonly heads: number;
  /** length of e in each head; the published code: f_dim / heads */
  readonly headDimension: number;
  /** divides e_xᵀe_p by √d, as the published code does and equation 1 does not */
  readonly scaleAttention: boolean;
  /** rate of dropout on the attention weights while training */
  readonly attentionDropout: number;
}

export class FeatureAugmentation extends Module {
  // One of each a head; the order of the properties is that of the published parameters.
  private readonly phi_e: Linear[];
  private readonly phi_a: Linear[];
  private readonly phi_r: Linear;
  private readonly dropout: Dropout;
  /** factor of e_xᵀe_p before the softmax */
  readonly scale: number;

  constructor(options: FeatureAugmentationOptions) {
    super();
    const { featureDimension, heads, headDimension, scaleAttention, attentionDropout, generator, dtype } =
      options;
    const perHead = (inputs: number) =>
      Array.from({ length: heads }, () => new Linear(inputs, headDimension, { generator, dtype }));
    this.phi_e = perHead(featureDimension);
    this.phi_a = perHead(2 * headDimension);
    this.phi_r = new Linear(heads * headDimension, featureDimension, { generator, dtype });
    this.dropout = new Dropout(attentionDropout, generator);
    this.scale = scaleAttention ? 1 / Math.sqrt(headDimension) : 1;
  }

  /** g_x. @param features f_x (N, f_dim) @param prototypes f_p (P, f_dim) → (N, f_dim), not negative */
  forward(features: Tensor, prototypes: Tensor): Tensor {
    return this.attend(features, prototypes).refined;
  }

  /** g_x with the attention weights w of each head, (N, P) each. */
  attend(features: Tensor, prototypes: Tensor): { refined: Tensor; attention: Tensor[] } {
    return tidy(() => {
      const attention: Tensor[] = [];
      const heads = this.phi_e.map((phi_e, head) => {
        const e_x = phi_e.forward(features); // (N, d)
        const e_p = phi_e.forward(prototypes); // (P, d)
        const w = e_x.matmul(e_p.transpose(0, 1)).mul(this.scale).softmax(1); // (1): (N, P)
        attention.push(w);
        const attended = this.dropout.forward(w).matmul(e_p); // Σ_i w_i e_p,i: (N, d)
        return this.phi_a[head].forward(concatenate([e_x, attended], 1)).relu(); // (2): (N, d)
      });
      const f_a = concatenate(heads, 1); // (N, heads·d)
      return { refined: features.add(this.phi_r.forward(f_a)).relu(), attention }; // (3)
    });
  }
}
