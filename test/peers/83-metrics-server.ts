/** metrics-server: what measures pods in most clusters. Built once, by whoever measures with it: no usual run needs it. */
import { goProgram } from './go-install.ts'

const VERSION = '0.9.0'
const program = goProgram({
  name: 'metrics-server',
  version: VERSION,
  from: 'sigs.k8s.io/metrics-server/cmd/metrics-server',
})

export const metricsServerProgram = program.path
export const ensureMetricsServer = program.ensure
