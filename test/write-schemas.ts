/** Writes the catalog's JSON Schemas to docs/schema: `node test/write-schemas.ts` after the format has changed. */
import { writeFile } from 'node:fs/promises'
import { catalogSchemas } from '@kalnet/contracts/catalog-schemas'

for (const [name, schema] of Object.entries(catalogSchemas()))
  await writeFile(new URL(`../docs/schema/${name}`, import.meta.url), `${JSON.stringify(schema, null, 2)}\n`)
