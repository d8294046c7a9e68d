/** One provider in the list: what it is, whether it is on, what can be done with it. */
import type { Provider } from '@kalnet/contracts/federation'
import { useMutation } from '@tanstack/react-query'
import { Activity, ClipboardList, Ellipsis, Power, SlidersHorizontal, Trash2 } from 'lucide-react'
import { useState } from 'react'
import { call, ROUTES } from '../api.ts'
import * as m from '../messages/index.ts'
import { tellProblem } from '../sessions/actions.ts'
import { Badge } from '../ui/badge.tsx'
import { IconButton } from '../ui/button.tsx'
import { Confirm, Dialog, DialogText } from '../ui/dialog.tsx'
import { later } from '../ui/later.tsx'
import { Menu } from '../ui/menu.tsx'
import { ErrorBox, Skeleton } from '../ui/parts.tsx'
import { toast } from '../ui/toast.ts'
import { ProviderIcon } from './icon.tsx'
import { CheckList, Values } from './parts.tsx'
import css from './providers.module.css'
import { providersChanged } from './queries.ts'

const ChangeProvider = later(() => import('./change.tsx'))
type Open = 'change' | 'values' | 'test' | 'off' | 'remove' | null

function useActs(provider: Provider, close: () => void) {
  const { id, name } = provider
  const done = (text: string) => {
    void providersChanged()
    toast({ tone: 'good', text })
    close()
  }
  const turn = useMutation({
    mutationFn: (enabled: boolean) => call(ROUTES.providers.change, { params: { id }, body: { enabled } }),
    onSuccess: ({ enabled }) => done(enabled ? m.providerSwitchedOn(name) : m.providerSwitchedOff(name)),
    onError: tellProblem,
  })
  const remove = useMutation({
    mutationFn: () => call(ROUTES.providers.remove, { params: { id } }),
    onSuccess: () => done(m.providerRemoved(name)),
    onError: tellProblem,
  })
  const test = useMutation({ mutationFn: () => call(ROUTES.providers.test, { params: { id } }) })
  return { turn, remove, test }
}

export function ProviderRow({ provider }: { provider: Provider }) {
  const [open, setOpen] = useState<Open>(null)
  const close = () => setOpen(null)
  const { turn, remove, test } = useActs(provider, close)
  const { name, enabled } = provider
  const address = provider.kind === 'openid' ? provider.issuer : provider.entityId
  return (
    <li className={css.row}>
      <span className={css.tile}>
        <ProviderIcon icon={provider.icon} />
      </span>
      <div className={css.words}>
        <span className={css.name}>
          <strong>{name}</strong>
          <Badge tone={enabled ? 'good' : 'quiet'}>{enabled ? m.providerIsOn : m.providerIsOff}</Badge>
        </span>
        <span className={css.quiet}>
          {provider.kind === 'openid' ? m.providerOpenId : m.providerSaml} ·{' '}
          {m.providerPeople(provider.people)}
        </span>
        <span className={css.quiet}>{address}</span>
      </div>
      <Menu
        label={m.providerActions(name)}
        trigger={
          <IconButton label={m.providerActions(name)}>
            <Ellipsis aria-hidden />
          </IconButton>
        }
        actions={[
          {
            id: 'turn',
            label: enabled ? m.providerSwitchOff : m.providerSwitchOn,
            icon: <Power aria-hidden />,
            onAction: () => (enabled ? setOpen('off') : turn.mutate(true)),
          },
          {
            id: 'test',
            label: m.providerTest,
            icon: <Activity aria-hidden />,
            onAction: () => {
              setOpen('test')
              test.mutate()
            },
          },
          {
            id: 'change',
            label: m.providerChange,
            icon: <SlidersHorizontal aria-hidden />,
            onAction: () => setOpen('change'),
          },
          {
            id: 'values',
            label: m.providerValues,
            icon: <ClipboardList aria-hidden />,
            onAction: () => setOpen('values'),
          },
          {
            id: 'remove',
            label: m.providerRemove,
            icon: <Trash2 aria-hidden />,
            danger: true,
            onAction: () => setOpen('remove'),
          },
        ]}
      />
      {open === 'change' && <ChangeProvider provider={provider} onClose={close} />}
      {open === 'values' && (
        <Dialog title={m.providerValues} onClose={close}>
          <Values provider={provider} />
        </Dialog>
      )}
      {open === 'test' && (
        <Dialog title={m.providerTestTitle(name)} onClose={close}>
          {test.isPending && <Skeleton height="120px" />}
          {test.error && <ErrorBox problem={test.error} retry={() => test.mutate()} />}
          {test.data && (
            <>
              <DialogText>{test.data.good ? m.providerTestGood : m.providerTestBad}</DialogText>
              <CheckList check={test.data} />
            </>
          )}
        </Dialog>
      )}
      {open === 'off' && (
        <Confirm
          title={m.providerSwitchOffTitle(name)}
          text={m.providerSwitchOffText}
          action={m.providerSwitchOff}
          pending={turn.isPending}
          onConfirm={() => turn.mutate(false)}
          onClose={close}
        />
      )}
      {open === 'remove' && (
        <Confirm
          title={m.providerRemoveTitle(name)}
          text={m.providerRemoveText(provider.people)}
          action={m.providerRemove}
          pending={remove.isPending}
          onConfirm={() => remove.mutate()}
          onClose={close}
        />
      )}
    </li>
  )
}
