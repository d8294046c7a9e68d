/** One machine: is it connected, what can it run and how well kept apart, how full is it. */
import type { Controller, Fingerprint } from '@kalnet/contracts/controller'
import { ChevronRight, CirclePause, CloudOff, Plug } from 'lucide-react'
import { Link } from 'wouter'
import { PLATFORM_WORDS } from '../catalog/words.ts'
import { size } from '../format.ts'
import * as m from '../messages/index.ts'
import { Ago } from '../ui/ago.tsx'
import { Badge } from '../ui/badge.tsx'
import { Card } from '../ui/parts.tsx'
import { Meter } from '../ui/progress.tsx'
import { ControllerMenu } from './controller-menu.tsx'
import css from './settings.module.css'

const ISOLATION: Record<Fingerprint['isolation'], string> = {
  uid: m.isolationUid,
  userns: m.isolationUserns,
  container: m.isolationContainer,
  none: m.isolationNone,
}

export function Connection({ state }: { state: Controller['state'] }) {
  if (state === 'online') return <Badge tone="good">{m.controllerOnline}</Badge>
  if (state === 'offline') {
    return (
      <Badge tone="warn" icon={<CloudOff aria-hidden />}>
        {m.controllerOffline}
      </Badge>
    )
  }
  return (
    <Badge tone="quiet" icon={<Plug aria-hidden />}>
      {m.controllerNever}
    </Badge>
  )
}

/** Facts in a row; a line breaks between two of them, never inside one. */
const row = (facts: string[]) => facts.map((it) => it.replaceAll(' ', '\u00a0')).join('\u00a0· ')

function Platform({ it }: { it: Fingerprint }) {
  const facts = it.usable
    ? [
        ISOLATION[it.isolation],
        it.limits ? m.hasLimits : m.hasNoLimits,
        it.network ? m.hasNetwork : m.hasNoNetwork,
        // A cluster gets its images from a registry.
        ...(it.platform === 'kubernetes' ? [] : [m.imagesBuilt(it.images.length)]),
      ]
    : []
  return (
    <li className={css.platform}>
      <div className={css.platformHead}>
        <strong>{PLATFORM_WORDS[it.platform]}</strong>
        <span className={css.quiet}>{it.version}</span>
        <Badge tone={it.usable ? 'good' : 'warn'}>{it.usable ? m.platformUsable : m.platformUnusable}</Badge>
      </div>
      {facts.length > 0 && <p className={css.quiet}>{row(facts)}</p>}
      {!it.usable && it.detail && <p className={css.quiet}>{it.detail}</p>}
    </li>
  )
}

function LabelChips({ labels }: { labels: Controller['labels'] }) {
  const all = Object.entries(labels)
  if (all.length === 0) return null
  return (
    <ul className={css.labels} aria-label={m.controllerLabels}>
      {all.map(([key, value]) => (
        <li key={key} className={css.label}>
          {key}={value}
        </li>
      ))}
    </ul>
  )
}

interface ControllerCardProps {
  controller: Controller
  /** The person who looks may change machines. */
  manages: boolean
  /** What it keeps of sessions that do not run, in words. */
  kept: string | null
}
export function ControllerCard({ controller, manages, kept }: ControllerCardProps) {
  const { capacity } = controller
  const used = capacity ? capacity.memoryBytes - capacity.memoryFreeBytes : 0
  const named = [
    controller.hostname !== controller.name && controller.hostname,
    controller.version && `v${controller.version}`,
  ]
  return (
    <Card label={controller.name}>
      <div className={css.controller}>
        <div className={css.controllerHead}>
          <div className={css.controllerName}>
            <h2>{controller.name}</h2>
            <p className={css.quiet}>
              {named.filter(Boolean).join(' · ')}
              {controller.state !== 'online' && controller.lastSeenAt && (
                <>
                  {' '}
                  · {m.controllerSeen} <Ago at={controller.lastSeenAt} />
                </>
              )}
            </p>
          </div>
          <div className={css.controllerState}>
            <Connection state={controller.state} />
            {controller.cordoned && (
              <Badge tone="warn" icon={<CirclePause aria-hidden />}>
                {m.controllerCordoned}
              </Badge>
            )}
          </div>
        </div>
        <LabelChips labels={controller.labels} />
        {capacity && (
          <div className={css.capacity}>
            <Meter
              label={m.controllerMemory}
              share={capacity.memoryBytes > 0 ? used / capacity.memoryBytes : 0}
              text={m.controllerMemoryUse(size(used), size(capacity.memoryBytes))}
            />
            <p className={css.quiet}>
              {row([
                m.controllerCpus(capacity.cpus),
                m.controllerLoad(capacity.load1.toFixed(1)),
                m.controllerDisk(size(capacity.diskFreeBytes)),
              ])}
            </p>
          </div>
        )}
        {controller.fingerprints.length > 0 && (
          <ul className={css.platforms}>
            {controller.fingerprints.map((it) => (
              <Platform key={it.platform} it={it} />
            ))}
          </ul>
        )}
        {controller.fingerprints.some((it) => it.platform === 'kubernetes') && (
          <Link className={css.shown} href={`/settings/controllers/${controller.id}`}>
            {m.clusterShow}
            <ChevronRight aria-hidden />
          </Link>
        )}
        {kept && <p className={css.quiet}>{kept}</p>}
        <div className={css.controllerFoot}>
          <span className={css.quiet}>{m.controllerRuns(controller.instances)}</span>
          {manages && !controller.installation && <ControllerMenu controller={controller} />}
        </div>
        {manages && controller.installation && <p className={css.quiet}>{m.controllerInstallation}</p>}
      </div>
    </Card>
  )
}
