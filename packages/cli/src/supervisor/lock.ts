/** One supervisor per data folder: a kernel lock that dies with its holder, and a file that says who it is. */
import { chmodSync, mkdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { writeWhole } from '@kalnet/io/files'
import type { Folders } from '@kalnet/io/folders'
import { lives, type ProcessIdentity } from './identity.ts'

/** Written by the holder into the data folder; `runtime` tells others where its sockets are. */
export interface SupervisorRecord extends ProcessIdentity {
  version: string
  runtime: string
  children: ProcessIdentity[]
}

const recordFile = (folders: Folders) => join(folders.data, 'supervisor.json')

export const writeRecord = (folders: Folders, record: SupervisorRecord) =>
  writeWhole(recordFile(folders), `${JSON.stringify(record, null, 2)}\n`)

/** Who held it last, alive or not; null when nobody ever did. */
export function readRecord(folders: Folders): SupervisorRecord | null {
  try {
    return JSON.parse(readFileSync(recordFile(folders), 'utf8')) as SupervisorRecord
  } catch (error) {
    // None yet, or made unreadable by a person's edit: the kernel lock decides who may run anyway.
    if (error instanceof SyntaxError || (error as NodeJS.ErrnoException).code === 'ENOENT') return null
    throw error
  }
}

export const liveRecord = (folders: Folders): SupervisorRecord | null => {
  const record = readRecord(folders)
  return record && lives(record) ? record : null
}

/**
 * Takes the lock, or answers null when somebody has it. SQLite's exclusive lock is fcntl(2)'s: the kernel
 * takes it back from a dead process, so nothing stale can remain.
 */
export function takeLock(folders: Folders): { release(): void } | null {
  mkdirSync(folders.data, { recursive: true, mode: 0o755 })
  const path = join(folders.data, 'supervisor.lock')
  const database = new DatabaseSync(path)
  try {
    chmodSync(path, 0o600)
    database.exec('PRAGMA busy_timeout = 0; BEGIN EXCLUSIVE')
  } catch (error) {
    database.close()
    if (/locked|busy/i.test(String(error))) return null
    throw error
  }
  return { release: () => database.close() }
}
