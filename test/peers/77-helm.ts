/** Helm: reads the chart as those do who install by it. Built once. */
import type { Peer } from '@kalnet/cli/suite/peers'
import { goProgram } from './go-install.ts'

const VERSION = '3.19.0'
const program = goProgram({
  name: 'helm',
  version: VERSION,
  from: 'helm.sh/helm/v3/cmd/helm',
})

export const helmProgram = program.path
export const hasHelm = program.isHere

export const peer: Peer = {
  name: `helm ${VERSION}`,
  proves: 'that the chart is right, and gives what `kalnet render --kubernetes` gives',
  ensure: program.ensure,
}
