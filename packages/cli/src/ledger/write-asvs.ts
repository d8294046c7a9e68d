/** Writes docs/security/asvs.md from its data: `node packages/cli/src/ledger/write-asvs.ts` after asvs.yaml has changed. */
import { readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { ROOT } from '../tree.ts'
import { ASVS_DATA, ASVS_PAGE, parseAsvs, renderAsvs } from './asvs.ts'

await writeFile(join(ROOT, ASVS_PAGE), renderAsvs(parseAsvs(await readFile(join(ROOT, ASVS_DATA), 'utf8'))))
