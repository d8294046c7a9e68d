/** What this controller was told and what it did, on disk: a crash at any point adopts what exists instead of making a second. */
import { mkdirSync } from 'node:fs'
import { dirname } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import type { DesiredInstance, ObservedInstance } from '@kalnet/contracts/instance'
import type { Handle } from './platforms/platform.ts'

/**
 * new: nothing was made yet. creating: written before the platform is asked, so something may exist.
 * created: the handle is known. settled: this generation has ended and is never started again.
 * forgotten: to be taken away, then the entry becomes a tombstone.
 */
export type Phase = 'new' | 'creating' | 'created' | 'settled' | 'forgotten'

export interface Entry {
  id: string
  generation: number
  /** null: found on a platform, never desired here. */
  desired: DesiredInstance | null
  phase: Phase
  handle: Handle | null
  /** Runtimes of earlier generations that are still to be taken away. */
  leftovers: Handle[]
  observed: ObservedInstance
}

export interface Journal {
  all(): Entry[]
  write(entry: Entry): void
  /** Where its links lead, as it was told last; goes with the entry. */
  remember(id: string, links: unknown): void
  remembered(id: string): unknown
  /** Removes the entry and remembers the generation, so that a late message cannot bring it back. */
  bury(id: string, generation: number): void
  /** The highest generation that was forgotten, 0 when none. */
  buried(id: string): number
  close(): void
}

const TOMBSTONES_KEPT = 20_000

/** Locked by the process that has it open: two controllers on one folder are impossible. */
export function openJournal(file: string): Journal {
  mkdirSync(dirname(file), { recursive: true, mode: 0o711 })
  const db = new DatabaseSync(file, { timeout: 5000 })
  db.exec('PRAGMA locking_mode = EXCLUSIVE')
  db.exec('PRAGMA journal_mode = WAL')
  db.exec('PRAGMA synchronous = NORMAL')
  db.exec(`CREATE TABLE IF NOT EXISTS instances (id TEXT PRIMARY KEY, entry TEXT NOT NULL) STRICT;
    CREATE TABLE IF NOT EXISTS tombstones (id TEXT PRIMARY KEY, generation INTEGER NOT NULL) STRICT;
    CREATE TABLE IF NOT EXISTS links (id TEXT PRIMARY KEY, links TEXT NOT NULL) STRICT;
    DELETE FROM links WHERE id NOT IN (SELECT id FROM instances)`)
  const all = db.prepare('SELECT entry FROM instances')
  const write = db.prepare(
    'INSERT INTO instances (id, entry) VALUES (?, ?) ON CONFLICT (id) DO UPDATE SET entry = excluded.entry',
  )
  const remove = db.prepare('DELETE FROM instances WHERE id = ?')
  const remember = db.prepare(
    'INSERT INTO links (id, links) VALUES (?, ?) ON CONFLICT (id) DO UPDATE SET links = excluded.links WHERE links != excluded.links',
  )
  const remembered = db.prepare('SELECT links FROM links WHERE id = ?')
  const unlink = db.prepare('DELETE FROM links WHERE id = ?')
  const bury = db.prepare(
    'INSERT INTO tombstones (id, generation) VALUES (?, ?) ON CONFLICT (id) DO UPDATE SET generation = max(generation, excluded.generation)',
  )
  const buried = db.prepare('SELECT generation FROM tombstones WHERE id = ?')
  db.prepare(
    'DELETE FROM tombstones WHERE rowid <= (SELECT coalesce(max(rowid), 0) FROM tombstones) - ?',
  ).run(TOMBSTONES_KEPT)
  return {
    all: () => all.all().map((row) => JSON.parse(String(row.entry)) as Entry),
    write: (entry) => void write.run(entry.id, JSON.stringify(entry)),
    remember: (id, links) => void remember.run(id, JSON.stringify(links)),
    remembered(id) {
      const row = remembered.get(id)
      return row ? JSON.parse(String(row.links)) : null
    },
    bury(id, generation) {
      db.exec('BEGIN')
      try {
        bury.run(id, generation)
        remove.run(id)
        unlink.run(id)
        db.exec('COMMIT')
      } catch (error) {
        db.exec('ROLLBACK')
        throw error
      }
    },
    buried: (id) => Number(buried.get(id)?.generation ?? 0),
    close: () => db.close(),
  }
}
