/** The connected apps: what each is, who may use it, what can be done with it. */
import type { App } from '@kalnet/contracts/app'
import { useMutation, useQuery } from '@tanstack/react-query'
import { Blocks, Ellipsis, KeyRound, Plus, Trash2, Users } from 'lucide-react'
import { useState } from 'react'
import { call, ROUTES } from '../api.ts'
import * as m from '../messages/index.ts'
import { queryClient } from '../queries.ts'
import { tellProblem } from '../sessions/actions.ts'
import { Badge } from '../ui/badge.tsx'
import { Button, IconButton } from '../ui/button.tsx'
import { Confirm } from '../ui/dialog.tsx'
import { later } from '../ui/later.tsx'
import { Menu } from '../ui/menu.tsx'
import { CopyButton, Empty, ErrorBox, Skeleton } from '../ui/parts.tsx'
import { toast } from '../ui/toast.ts'
import css from './apps.module.css'
import { ChangeApp } from './change-app.tsx'
import { NewSecret } from './new-secret.tsx'
import { appsQuery, issuerQuery } from './queries.ts'
import { Tile } from './tile.tsx'
import { useWhoWords } from './who.tsx'

const Connect = later(() => import('./connect.tsx'))
const hostOf = (uri: string | undefined) => (uri && URL.canParse(uri) ? new URL(uri).host : '')

function Disconnect({ app, onClose }: { app: App; onClose: () => void }) {
  const remove = useMutation({
    mutationFn: () => call(ROUTES.apps.remove, { params: { id: app.id } }),
    onSuccess: async () => {
      await queryClient.invalidateQueries({ queryKey: ['apps'] })
      toast({ tone: 'good', text: m.appRemoved(app.name) })
      onClose()
    },
    onError: tellProblem,
  })
  return (
    <Confirm
      title={m.appRemoveTitle(app.name)}
      text={m.appRemoveText}
      action={m.appRemoveAction}
      pending={remove.isPending}
      onConfirm={() => remove.mutate()}
      onClose={onClose}
    />
  )
}

function Row({ app }: { app: App }) {
  const [open, setOpen] = useState<'who' | 'secret' | 'remove' | null>(null)
  const who = useWhoWords()
  const close = () => setOpen(null)
  return (
    <li className={css.row}>
      <Tile name={app.name} small />
      <div className={css.rowWords}>
        <strong>{app.name}</strong>
        <span className={css.quiet}>
          {hostOf(app.redirectUris[0])} · {who(app.allowed)}
        </span>
        <span className={css.badges}>
          <Badge tone="quiet">{app.trusted ? m.appIsTrusted : m.appAsksFirst}</Badge>
          {app.kind === 'public' && <Badge tone="quiet">{m.appIsPublic}</Badge>}
        </span>
      </div>
      <Menu
        label={m.appActions(app.name)}
        trigger={
          <IconButton label={m.appActions(app.name)}>
            <Ellipsis aria-hidden />
          </IconButton>
        }
        actions={[
          { id: 'who', label: m.appChange, icon: <Users aria-hidden />, onAction: () => setOpen('who') },
          {
            id: 'secret',
            label: m.appNewSecret,
            icon: <KeyRound aria-hidden />,
            disabled: app.kind === 'public',
            onAction: () => setOpen('secret'),
          },
          {
            id: 'remove',
            label: m.appRemove,
            icon: <Trash2 aria-hidden />,
            danger: true,
            onAction: () => setOpen('remove'),
          },
        ]}
      />
      {open === 'who' && <ChangeApp app={app} onClose={close} />}
      {open === 'secret' && <NewSecret app={app} onClose={close} />}
      {open === 'remove' && <Disconnect app={app} onClose={close} />}
    </li>
  )
}

/** A name that only this machine has. */
const isHere = (issuer: string) => /^(localhost|127\.|\[::1\])/.test(new URL(issuer).hostname)

/** What every app must be told first; and that nobody elsewhere reaches it, when that is so. */
function Issuer() {
  const { data } = useQuery(issuerQuery)
  if (!data) return null
  return (
    <div className={css.issuer}>
      <span className={css.quiet}>
        {m.appIssuer}: <code>{data.issuer}</code>
        {isHere(data.issuer) && <> · {m.appIssuerHere}</>}
      </span>
      <CopyButton text={data.issuer} />
    </div>
  )
}

export function AppList() {
  const { data, error, isPending, refetch } = useQuery(appsQuery)
  const [adding, setAdding] = useState(false)
  const add = (
    <Button look="primary" icon={<Plus aria-hidden />} onPress={() => setAdding(true)}>
      {m.appAdd}
    </Button>
  )
  return (
    <section className={css.section} aria-label={m.appsTitle}>
      <div className={css.sectionHead}>
        <h2>{m.appsTitle}</h2>
        {data && data.items.length > 0 && add}
      </div>
      {isPending && (
        <div aria-busy="true">
          <Skeleton height="68px" />
        </div>
      )}
      {error && !data && <ErrorBox problem={error} retry={() => void refetch()} />}
      {data?.items.length === 0 && (
        <Empty icon={<Blocks aria-hidden />} title={m.appsEmpty} text={m.appsEmptyText} next={add} />
      )}
      {data && data.items.length > 0 && (
        <ul className={css.card}>
          {data.items.map((app) => (
            <Row key={app.id} app={app} />
          ))}
        </ul>
      )}
      {data && data.items.length > 0 && <Issuer />}
      {adding && <Connect onClose={() => setAdding(false)} />}
    </section>
  )
}
