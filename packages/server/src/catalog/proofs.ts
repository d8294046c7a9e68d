/** `catalog/proved.json`: which version of a template was seen to work by a test. */
import { join } from 'node:path'
import { readIfThere } from '@kalnet/io/files'
import { z } from 'zod'

const proofs = z.record(z.string(), z.looseObject({ version: z.string() }))

/** Template id → the version that was proved. Throws when the file cannot be read. */
export async function readProofs(folder: string): Promise<Map<string, string>> {
  const read = proofs.parse(JSON.parse((await readIfThere(join(folder, 'proved.json'))) ?? '{}'))
  return new Map(Object.entries(read).map(([id, proof]) => [id, proof.version]))
}
