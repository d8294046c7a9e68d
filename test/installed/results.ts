/** What was seen of Kalnet installed on a cluster: test/results/cluster-installed.json, by what was looked at. */
import { fileURLToPath } from 'node:url'
import { readIfThere, writeWhole } from '@kalnet/io/files'

const FILE = fileURLToPath(new URL('../results/cluster-installed.json', import.meta.url))

export async function note(what: string, seen: object): Promise<void> {
  const kept = JSON.parse((await readIfThere(FILE)) ?? '{}') as Record<string, object>
  await writeWhole(FILE, `${JSON.stringify({ ...kept, [what]: seen }, null, 2)}\n`, 0o644)
}
