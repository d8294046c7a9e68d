/** What long runs on a cluster measured: test/results/cluster-<what>.json, by case. */
import { fileURLToPath } from 'node:url'
import { readIfThere, writeWhole } from '@kalnet/io/files'

export async function note(what: string, name: string, seen: object): Promise<void> {
  const file = fileURLToPath(new URL(`../results/cluster-${what}.json`, import.meta.url))
  const kept = JSON.parse((await readIfThere(file)) ?? '{}') as Record<string, object>
  await writeWhole(file, `${JSON.stringify({ ...kept, [name]: seen }, null, 2)}\n`, 0o644)
}
