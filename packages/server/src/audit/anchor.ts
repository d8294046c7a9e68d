/** How far each chain had come, in a file beside the database: whoever has only the database cannot set it back unnoticed. */
import type { Clock } from '@kalnet/io/clock'
import { readIfThere, writeWhole } from '@kalnet/io/files'
import type { Log } from '@kalnet/io/log'

export interface End {
  organisationId: string | null
  position: string
  hash: string
}
export interface Anchor {
  /** Kept in memory at once, in the file at most once per `everyMs`. */
  note(ends: End[]): void
  /** Where the chain was known to end; null: nothing is known. */
  of(organisationId: string | null): Promise<Omit<End, 'organisationId'> | null>
  /** Writes what is not written yet. */
  flush(): Promise<void>
}

const EVERY_MS = 2_000
const nameOf = (organisationId: string | null) => organisationId ?? 'installation'

/** `path` null: nowhere, for tests and for a server that has no folder. A restored backup is older than the file: remove it then. */
export function createAnchor({ path, clock, log }: { path: string | null; clock: Clock; log: Log }): Anchor {
  let known: Promise<Record<string, Omit<End, 'organisationId'>>> | null = null
  let changed = false
  let writing = false
  const load = () => {
    known ??= (path === null ? Promise.resolve(null) : readIfThere(path))
      .then((text) =>
        text === null ? {} : (JSON.parse(text) as Record<string, Omit<End, 'organisationId'>>),
      )
      .catch((error: unknown) => {
        // The server lives on; that a file of ours is damaged is for somebody to look at.
        log.error(
          { path, problem: error instanceof Error ? error.message : String(error) },
          'where the audit had ended cannot be read: it is noted anew',
        )
        return {}
      })
    return known
  }
  async function flush(): Promise<void> {
    if (!changed || path === null) return
    changed = false
    await writeWhole(path, `${JSON.stringify(await load(), null, 2)}\n`)
  }
  return {
    note(ends) {
      void load().then((all) => {
        for (const { organisationId, position, hash } of ends)
          all[nameOf(organisationId)] = { position, hash }
        changed = true
        if (writing) return
        writing = true
        clock
          .sleep(EVERY_MS)
          .then(flush)
          .catch((error: unknown) =>
            log.warn(
              { problem: error instanceof Error ? error.message : String(error) },
              'the end of the audit could not be written beside the database',
            ),
          )
          .finally(() => {
            writing = false
          })
      })
    },
    async of(organisationId) {
      return (await load())[nameOf(organisationId)] ?? null
    },
    flush,
  }
}
