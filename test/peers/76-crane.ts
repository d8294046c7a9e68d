/** Crane: somebody else's program that reads images in a registry and says whether they are right. Built once. */
import type { Peer } from '@kalnet/cli/suite/peers'
import { goProgram } from './go-install.ts'

const VERSION = '0.22.1'
const program = goProgram({
  name: 'crane',
  version: VERSION,
  from: 'github.com/google/go-containerregistry/cmd/crane',
})

export const craneProgram = program.path
export const hasCrane = program.isHere

export const peer: Peer = {
  name: `crane ${VERSION}`,
  proves: 'that images pushed to a registry are what they should be, by a program that is not ours',
  ensure: program.ensure,
}
