/** My passkeys: what they are called, when they were used, adding and removing. */
import type { Passkey } from '@kalnet/contracts/passkey'
import type { Factors } from '@kalnet/contracts/sign-in'
import { Ellipsis, Fingerprint } from 'lucide-react'
import { useState } from 'react'
import { browserHasPasskeys } from '../identity/use-passkey.ts'
import * as m from '../messages/index.ts'
import { Ago } from '../ui/ago.tsx'
import { Button, IconButton } from '../ui/button.tsx'
import { Menu } from '../ui/menu.tsx'
import css from './account.module.css'
import { AddPasskey, useBeginPasskey } from './passkey-add.tsx'
import { RemovePasskey, RenamePasskey } from './passkey-dialogs.tsx'
import { Row } from './row.tsx'

function PasskeyLine({ passkey }: { passkey: Passkey }) {
  const [open, setOpen] = useState<'rename' | 'remove' | null>(null)
  const close = () => setOpen(null)
  return (
    <li className={css.passkey}>
      <div className={css.words}>
        <strong>{passkey.name}</strong>
        <span className={css.text}>
          {passkey.synced ? m.passkeySynced : m.passkeyBound},{' '}
          {passkey.lastUsedAt ? (
            <>
              {m.passkeyUsed} <Ago at={passkey.lastUsedAt} />
            </>
          ) : (
            m.passkeyUnused
          )}
        </span>
      </div>
      <Menu
        label={m.passkeyMenu(passkey.name)}
        trigger={
          <IconButton label={m.passkeyMenu(passkey.name)}>
            <Ellipsis aria-hidden />
          </IconButton>
        }
        actions={[
          { id: 'rename', label: m.passkeyRename, onAction: () => setOpen('rename') },
          { id: 'remove', label: m.passkeyRemove, danger: true, onAction: () => setOpen('remove') },
        ]}
      />
      {open === 'rename' && <RenamePasskey passkey={passkey} onClose={close} />}
      {open === 'remove' && <RemovePasskey passkey={passkey} onClose={close} />}
    </li>
  )
}

interface PasskeysRowProps {
  factors: Factors
  onCodes: (codes: string[]) => void
}
export function PasskeysRow({ factors: { passkeys, passkeysHere }, onCodes }: PasskeysRowProps) {
  const begin = useBeginPasskey()
  const possible = passkeysHere.available && browserHasPasskeys()
  const why = passkeysHere.available ? m.passkeysNotBrowser : m.passkeysNotHere(passkeysHere.reason)
  return (
    <Row
      icon={<Fingerprint aria-hidden />}
      title={m.passkeys}
      text={
        <>
          {passkeys.length === 0 && <p>{m.passkeysNone}</p>}
          {!possible && <p>{why}</p>}
        </>
      }
      actions={
        possible && (
          <Button isPending={begin.isPending} onPress={() => begin.mutate()}>
            {m.passkeyAdd}
          </Button>
        )
      }
    >
      {passkeys.length > 0 && (
        <ul className={css.passkeys}>
          {passkeys.map((it) => (
            <PasskeyLine key={it.id} passkey={it} />
          ))}
        </ul>
      )}
      {begin.data && (
        <AddPasskey
          options={begin.data}
          onClose={begin.reset}
          onDone={(codes) => {
            begin.reset()
            if (codes) onCodes(codes)
          }}
        />
      )}
    </Row>
  )
}
