import type { Encoder } from '../../models/encoder.js';
import {
  concatenate,
  emptyCache,
  keep,
  noGrad,
  profiled,
  type Tensor,
  tensor,
  tidy,
  zeros,
} from '../../tensor/index.js';
import type { Exchange, LearnerContext } from '../algorithm.js';
import { MemoryBank } from './memory-bank.js';
import type { FeatMatchNetwork } from './network.js';
import { type PrototypeOptions, selectPrototypes } from './prototypes.js';

/** The prototypes in force, and what training records to make the next ones from. */
export class PrototypeMemory {
  /** f_p (P, f_dim); P is 0 before the first extraction */
  features: Tensor;
  private labels: Int32Array = new Int32Array(); // (P)
  private readonly bank: MemoryBank;
  private readonly exchange: Exchange;

  /** @param options.capacity the most features that are recorded between two extractions, by all processes */
  constructor(
    { featureDimension }: Encoder,
    { classes, capacity, exchange }: { classes: number; capacity: number; exchange: Exchange },
  ) {
    this.features = keep(zeros([0, featureDimension]));
    this.bank = new MemoryBank({ classes, capacity, featureDimension });
    this.exchange = exchange;
  }

  /** Records features (N, f_dim) and their pseudo-labels, not sharpened (N, classes), those of all processes. */
  record(features: Tensor, probabilities: Tensor): void {
    tidy(() => this.bank.add(this.exchange.gather(features), this.exchange.gather(probabilities)));
  }

  /**
   * Makes prototypes of the labeled images, clean and in evaluation mode, and of what was recorded, and forgets that.
   * @param network what computes the labeled features; the one that computed the recorded ones
   */
  extract(
    network: FeatMatchNetwork,
    context: LearnerContext<FeatMatchNetwork>,
    options: Pick<PrototypeOptions, 'prototypesPerClass' | 'labeledRatio'>,
  ): void {
    profiled('prototypes', () => this.select(network, context, options));
  }

  private select(
    network: FeatMatchNetwork,
    context: LearnerContext<FeatMatchNetwork>,
    options: Pick<PrototypeOptions, 'prototypesPerClass' | 'labeledRatio'>,
  ): void {
    const { training } = network;
    network.train(false);
    const { features, labels } = noGrad(() =>
      tidy(() => {
        const encoded = [...context.labeledImages()].map((part) => ({
          features: network.encoder.forward(part.images),
          labels: part.labels,
        }));
        const labeled = {
          features: concatenate(encoded.map((part) => part.features)),
          labels: encoded.flatMap((part) => [...part.labels]),
        };
        const { prototypesPerClass, labeledRatio } = options;
        const { classes, generator } = context;
        return selectPrototypes(labeled, this.bank.contents(), {
          classes,
          prototypesPerClass,
          labeledRatio,
          generator,
        });
      }),
    );
    network.train(training);
    this.bank.clear();
    this.replace(features, labels);
    emptyCache(); // K-means used many sizes that no training step asks for again
  }

  state(): Map<string, Tensor> {
    const state = new Map([
      ['prototypes', this.features],
      ['prototypeLabels', tensor(this.labels)],
    ]);
    const recorded = this.bank.contents();
    if (recorded !== null) {
      state.set('bank.features', recorded.features);
      state.set('bank.probabilities', recorded.probabilities);
    }
    return state;
  }

  /** @throws Error where the state has no prototypes */
  load(state: ReadonlyMap<string, Tensor>): void {
    const prototypes = state.get('prototypes');
    const labels = state.get('prototypeLabels');
    if (prototypes === undefined || labels === undefined)
      throw new Error('the saved state has no prototypes');
    this.replace(prototypes.clone(), labels.data() as Int32Array);
    this.bank.clear();
    const features = state.get('bank.features');
    const probabilities = state.get('bank.probabilities');
    if (features !== undefined && probabilities !== undefined) this.bank.add(features, probabilities);
  }

  private replace(features: Tensor, labels: Int32Array): void {
    this.features.dispose();
    this.features = keep(features);
    this.labels = labels;
  }
}
