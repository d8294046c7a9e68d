/** Which real parts this machine has. A test that lacks one says what it would have proved; with KALNET_PEERS=all it runs and fails. */
import { existsSync } from 'node:fs'
import { run } from '@kalnet/io/spawn'
import { hasKeycloak } from '../peers/30-keycloak.ts'
import { hasSynapse } from '../peers/40-synapse.ts'
import { hasPebble } from '../peers/50-pebble.ts'
import { hasTraefik } from '../peers/60-traefik.ts'
import { hasToxiproxy } from '../peers/70-toxiproxy.ts'
import { hasNats } from '../peers/75-nats.ts'
import { hasCrane } from '../peers/76-crane.ts'
import { hasCollector } from '../peers/77-collector.ts'
import { hasHelm } from '../peers/77-helm.ts'
import { hasKubernetes } from '../peers/80-kubernetes.ts'
import { hasClusterNetwork } from '../peers/81-cluster-network.ts'
import { CHROMIUM } from './browser.ts'

const onPath = async (program: string) =>
  (await run('which', [program]).catch(() => ({ code: 1 }))).code === 0

const PARTS = {
  root: async () => process.getuid?.() === 0,
  chromium: async () => CHROMIUM !== null,
  bubblewrap: () => onPath('bwrap'),
  mmdebstrap: () => onPath('mmdebstrap'),
  uidmap: () => onPath('newuidmap'),
  pasta: () => onPath('pasta'),
  iproute: () => onPath('ip'),
  dig: () => onPath('dig'),
  nft: () => onPath('nft'),
  ufw: () => onPath('ufw'),
  keycloak: hasKeycloak,
  synapse: hasSynapse,
  pebble: hasPebble,
  traefik: hasTraefik,
  toxiproxy: hasToxiproxy,
  crane: hasCrane,
  helm: hasHelm,
  kubernetes: hasKubernetes,
  kubectl: () => onPath('kubectl'),
  clusterNetwork: hasClusterNetwork,
  imageRegistry: () => onPath('docker-registry'),
  nats: hasNats,
  collector: hasCollector,
  openssl: () => onPath('openssl'),
  curl: () => onPath('curl'),
  certutil: () => onPath('certutil'),
  compose: () => onPath('docker-compose'),
  docker: async () =>
    existsSync('/var/run/docker.sock') &&
    (
      await run('docker', ['version', '--format', '{{.Server.Version}}'], { timeoutMs: 10_000 }).catch(
        () => ({ code: 1 }),
      )
    ).code === 0,
}
export type PartName = keyof typeof PARTS

/** True when the tests must be passed over; prints what they would have proved. */
export async function lacking(needs: readonly PartName[], proves: string): Promise<boolean> {
  const missing: string[] = []
  for (const need of needs) if (!(await PARTS[need]())) missing.push(need)
  if (missing.length === 0 || process.env.KALNET_PEERS === 'all') return false
  process.stderr.write(`skipped, ${missing.join(', ')} missing: ${proves}\n`)
  return true
}

/**
 * What needs a cluster for minutes (its faults, hundreds of machines, streams that outlive its API) runs only when asked with KALNET_CLUSTER=all.
 * True when it must be passed over; prints what it would have proved.
 */
export async function clusterIsNotAsked(proves: string, more: readonly PartName[] = []): Promise<boolean> {
  if (process.env.KALNET_CLUSTER === 'all') return lacking(['root', 'kubernetes', ...more], proves)
  process.stderr.write(`skipped, takes minutes and runs with KALNET_CLUSTER=all: ${proves}\n`)
  return true
}
