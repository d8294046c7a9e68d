/** Which templates a person means by the ids they typed. */
import { idsOf } from '@kalnet/server/catalog/lint'
import { readCatalog } from '@kalnet/server/catalog/source'
import { nearest } from '@kalnet/server/core/nearest'
import { usage } from '../problem.ts'

/** The templates meant: all, or those named, which must be there. */
export async function chosen(catalog: string, wanted: readonly string[]): Promise<string[]> {
  const known = idsOf(await readCatalog(catalog))
  if (known.length === 0)
    throw usage(`There is no template in ${catalog}.`, 'Begin one with `kalnet templates new <id>`.')
  const stranger = wanted.find((id) => !known.includes(id))
  if (stranger === undefined) return wanted.length > 0 ? [...wanted] : known
  const near = nearest(stranger, known)
  throw usage(
    `There is no template ${stranger} in ${catalog}.`,
    near ? `Did you mean ${near}?` : `Begin it with \`kalnet templates new ${stranger}\`.`,
  )
}
