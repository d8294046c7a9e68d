/** Who something could be placed on, with what controllers have not told themselves: what is starting there, and where its image has run. */
import type { InstanceSpec } from '@kalnet/contracts/instance'
import { imageParts } from '@kalnet/io/image-digest'
import type { Tx } from '../core/store.ts'
import { shape } from './controllers.ts'
import type { Candidate, Starting } from './scoring.ts'
import { type StartingRow, statements } from './store.ts'

const startingOf = ({ instances, memory_bytes, cpus }: StartingRow): Starting => ({
  instances,
  memoryBytes: memory_bytes,
  cpus,
})

/**
 * Those that serve the organisation. From here to the end of the transaction no other server chooses (turns.ts), so that each sees what
 * the one before chose; and what everybody's instances are about to use is counted, whoever asks.
 */
export async function candidatesFor(
  tx: Tx,
  organisationId: string,
  spec: InstanceSpec,
): Promise<Candidate[]> {
  await statements.placingTurn().execute(tx)
  const serving = (await statements.serving({ organisationId }).execute(tx)).rows.map(shape)
  const starting = await statements.starting({ ids: serving.map((it) => it.id) }).execute(tx)
  const ran = await statements.ran({ image: imageParts(spec.image).at(-1) ?? '' }).execute(tx)
  const sums = Map.groupBy(starting.rows, (row) => row.controller_id)
  const platforms = Map.groupBy(ran.rows, (row) => row.controller_id)
  return serving.map((it) => {
    const of = (elsewhere: boolean) => sums.get(it.id)?.find((row) => row.elsewhere === elsewhere)
    const [here, there] = [of(false), of(true)]
    return {
      ...it,
      ...(here && { starting: startingOf(here) }),
      ...(there && { startingElsewhere: startingOf(there) }),
      ran: platforms.get(it.id)?.map((row) => row.platform) ?? [],
    }
  })
}
