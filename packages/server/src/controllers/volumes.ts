/** What is said about volumes on the link: which may go, and how large are those that rest. Whose they are is known elsewhere. */
import type { FromController, ToController } from '@kalnet/contracts/controller'
import type { Log } from '@kalnet/io/log'

type Said<T extends FromController['type']> = Extract<FromController, { type: T }>

export interface VolumesKnown {
  /** Volumes there that nobody wants any more. */
  leaving(controllerId: string): Promise<string[]>
  /** One of them is not there (any more). */
  gone(controllerId: string, volumeId: string): Promise<void>
  /** Of these it is not known how large they are. */
  unmeasured(controllerId: string): Promise<string[]>
  measured(controllerId: string, it: Omit<Said<'volume.measured'>, 'type'>): Promise<void>
}

/** Said with each whole round, until it is so. */
export async function wordsOfVolumes(known: VolumesKnown, controllerId: string): Promise<ToController[]> {
  return [
    ...(await known.leaving(controllerId)).map((id) => ({ type: 'volume.forget' as const, id })),
    ...(await known.unmeasured(controllerId)).map((id) => ({ type: 'volume.measure' as const, id })),
  ]
}

export async function heardOfVolume(
  { known, log }: { known: VolumesKnown; log: Log },
  controllerId: string,
  message: Said<'volume.gone'> | Said<'volume.measured'>,
): Promise<void> {
  if (message.type === 'volume.measured') {
    const { type: _, ...it } = message
    return known.measured(controllerId, it)
  }
  const { id, problem } = message
  if (problem === null) return known.gone(controllerId, id)
  log.warn({ controllerId, volumeId: id, problem }, 'a volume could not be removed yet')
}
