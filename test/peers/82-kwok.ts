/** Kwok: machines of a cluster that only say that they are there, by the hundred. Built once, by whoever measures with it: no usual run needs it. */
import { goProgram } from './go-install.ts'

const VERSION = '0.7.0'
const program = goProgram({
  name: 'kwok',
  version: VERSION,
  from: 'sigs.k8s.io/kwok/cmd/kwok',
})

export const kwokProgram = program.path
export const ensureKwok = program.ensure
