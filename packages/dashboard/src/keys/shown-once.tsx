/** The secret of a key, once. */
import * as m from '../messages/index.ts'
import { Button } from '../ui/button.tsx'
import { Dialog, DialogActions, DialogText } from '../ui/dialog.tsx'
import { CopyButton } from '../ui/parts.tsx'
import css from './keys.module.css'

interface ShownOnceProps {
  name: string
  token: string
  onClose: () => void
}
export const ShownOnce = ({ name, token, onClose }: ShownOnceProps) => (
  <Dialog title={m.keyReady(name)} onClose={onClose} firm>
    <DialogText>{m.keyReadyText}</DialogText>
    <section className={css.token} aria-label={m.keySecret}>
      <code data-token>{token}</code>
      <CopyButton text={token} />
    </section>
    <DialogActions>
      <Button look="primary" onPress={onClose}>
        {m.keyDone}
      </Button>
    </DialogActions>
  </Dialog>
)
