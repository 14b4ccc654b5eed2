# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
# shellcheck shell=bash
#
# Completes options of the fp8gemm tools, their values, and files, by what a tool's --help says. `cmake --install` puts it where
# bash-completion finds it; for a build: source scripts/fp8gemm-completion.bash (zsh: bashcompinit first)

# _fp8gemm_words TOOL: a line for each option, `--emit=` if it takes a value, and for each of its values, `--emit=mlir`.
_fp8gemm_words() {
  "$1" --help 2>/dev/null | awk '
    /^  +--?[A-Za-z]/ { option = "" }
    /^  (    )?--?[A-Za-z]/ {                             # options of a pass are further to the right
      word = $1
      if (sub(/\[=.*/, "", word)) print word "="          # "--debug-rings[=<ms>]"
      takes = sub(/=.*/, "=", word)
      if ($2 ~ /^<.*>$/ && word != "-o") {                # "-n <long>", which is --n=
        word = word "="
        takes = 1
      }
      if (word ~ /^-[a-z]=/) word = "-" word
      option = word
      print word
      if (takes && $1 ~ /=[a-z0-9_]+$/) print $1          # "--device=cpu", as fp8gemm-run prints them
    }
    /^ *=[A-Za-z0-9_]/ && option ~ /=$/ { sub(/^ *=/, ""); print option $1 }' | sort -u
}

_fp8gemm() {
  local word=${COMP_WORDS[COMP_CWORD]} before=${COMP_WORDS[COMP_CWORD - 1]} option=
  # "=" is a word of its own to bash.
  if [[ $word == = ]]; then
    option=$before= word=
  elif [[ $before == = ]]; then
    option=${COMP_WORDS[COMP_CWORD - 2]}=
  fi
  local choices
  if [[ -n $option ]]; then
    choices=$(_fp8gemm_words "$1" | sed -n "s/^$option\(..*\)/\1/p")
  elif [[ $word == -* ]]; then
    choices=$(_fp8gemm_words "$1" | grep -v '=.')
  fi
  mapfile -t COMPREPLY < <(compgen -W "${choices-}" -- "$word")
  if [[ ${#COMPREPLY[@]} == 1 && ${COMPREPLY[0]} == *= ]]; then
    compopt -o nospace 2>/dev/null
  elif [[ -z ${choices-} ]]; then
    mapfile -t COMPREPLY < <(compgen -f -- "$word")
    compopt -o filenames 2>/dev/null
  fi
}

complete -F _fp8gemm fp8gemm-compile fp8gemm-inspect fp8gemm-lsp-server fp8gemm-opt fp8gemm-run
