/** What was seen of services in the long run: test/results/services.json, by place and service. */
import { fileURLToPath } from 'node:url'
import { readIfThere, writeWhole } from '@kalnet/io/files'

const FILE = fileURLToPath(new URL('../results/services.json', import.meta.url))

export async function note(place: string, id: string, seen: object): Promise<void> {
  const kept = JSON.parse((await readIfThere(FILE)) ?? '{}') as Record<string, Record<string, object>>
  const next = { ...kept, [place]: { ...kept[place], [id]: seen } }
  await writeWhole(FILE, `${JSON.stringify(next, null, 2)}\n`, 0o644)
}
