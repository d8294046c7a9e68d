/** What platforms ask of a registry: that the image of a recipe is there, under a name that can mean nothing else. */
import type { Progress } from '@kalnet/contracts/instance'
import type { RecipeChain } from '@kalnet/contracts/recipe'
import type { ImageRegistry } from './settings.ts'

export interface PushRequest {
  chain: RecipeChain
  registry: ImageRegistry
  signal: AbortSignal
  /** Steps are all `image`; the share never goes back. */
  say(it: Progress): void
  /**
   * `there` (the default): what the registry has of this recipe is taken as it is, whoever pushed it, and nothing is built.
   * `here`: what this machine has built is what counts; a person who says `push` means that.
   */
  prefer?: 'there' | 'here'
}

export interface Pushed {
  /** `host/repository@sha256:…` */
  reference: string
  /** The same image by a name that people can read: `host/repository:<recipe digest>`. */
  tagged: string
  digest: string
  /** Layers and the configuration: what went over the wire, what was there, what another repository of the registry lent. */
  blobs: { sent: number; there: number; lent: number }
  sentBytes: number
}

/** Throws `RegistryProblem` with a sentence for people. Twice, or by several at once: uploaded once; a later call costs one HEAD. */
export type EnsurePushed = (request: PushRequest) => Promise<Pushed>

/** `refused`: somebody has to change something (a password, a right); `failed`: trying again may help. */
export class RegistryProblem extends Error {
  override readonly name = 'RegistryProblem'
  readonly kind: 'refused' | 'failed'
  constructor(kind: 'refused' | 'failed', message: string, cause?: unknown) {
    super(message, { cause })
    this.kind = kind
  }
}
