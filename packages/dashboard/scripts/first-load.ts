/** `npm run first-load`: prints what the first load of Home weighs, compressed, and fails above the must. */
import { join } from 'node:path'
import { firstLoad } from '../build/first-load.ts'

const MUST_BYTES = 150_000
const { files, bytes } = firstLoad(join(import.meta.dirname, '../dist'))
for (const it of files) console.log(`${String(it.bytes).padStart(8)}  ${it.file}`)
console.log(`${String(bytes).padStart(8)}  in all; must be under ${MUST_BYTES}`)
if (bytes > MUST_BYTES) process.exitCode = 1
