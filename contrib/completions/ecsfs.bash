# SPDX-License-Identifier: Apache-2.0
# bash completion for ecsfs(1)
# shellcheck shell=bash

_ecsfs() {
  # shellcheck disable=SC2034 # _init_completion sets them
  local cur prev words cword
  _init_completion -n : -n = 2>/dev/null || {
    cur=${COMP_WORDS[COMP_CWORD]}
    prev=${COMP_WORDS[COMP_CWORD - 1]}
  }
  local options='region= regions= profile= endpoint_url= stale= timeout= cache_dir= layer_cache= pacing=on pacing=off ro allow_delete dry_run posix_errno allow_other'
  case $prev in
  -o)
    local done='' last=$cur
    [[ $cur == *,* ]] && done=${cur%,*}, last=${cur##*,}
    case $last in
    profile=*)
      # Sections of the shared files: [name] and [profile name].
      mapfile -t COMPREPLY < <(compgen -P "${done}profile=" -W "$(sed -n 's/^\[\(profile \)\{0,1\}\([^] ]*\)\]$/\2/p' \
        "${AWS_CONFIG_FILE:-$HOME/.aws/config}" "${AWS_SHARED_CREDENTIALS_FILE:-$HOME/.aws/credentials}" 2>/dev/null | sort -u)" -- "${last#*=}")
      ;;
    cache_dir=*) mapfile -t COMPREPLY < <(compgen -P "${done}cache_dir=" -d -- "${last#*=}") ;;
    *) mapfile -t COMPREPLY < <(compgen -P "$done" -W "$options" -- "$last") ;;
    esac
    compopt -o nospace
    return
    ;;
  esac
  case $cur in
  -*) mapfile -t COMPREPLY < <(compgen -W '-o -f -d -V -h --check' -- "$cur") ;;
  local:*) mapfile -t COMPREPLY < <(compgen -f -- "${cur#local:}") ;;
  *) mapfile -t COMPREPLY < <(compgen -W 'aws aws: local local:' -d -- "$cur") ;;
  esac
}
complete -F _ecsfs ecsfs
