# Read the arguments of a tool into variables: --reads s3://… becomes $reads. Then go to the working folder.
# With --sample, as steps of a workflow have it, objects without an argument lie in the folder of the sample.
# shellcheck shell=bash
set -euo pipefail

while (($#)); do
  declare "${1#--}=${2:?}"
  shift 2
done
if [[ -n ${sample:-} ]]; then
  place=s3://genomics-results-123456789012/genomic-workflow/$sample
  : "${reference:=s3://aws-batch-genomics-resources/reference.fa}" "${reads_1:=${fastq1:-}}" "${reads_2:=${fastq2:-}}"
  : "${bam:=$place/sample.bam}" "${vcf:=$place/calls.vcf.gz}"
  : "${filtered:=$place/filtered.vcf}" "${stats:=$place/stats.txt}"
fi
cd "${working_dir:?}"
if [[ -n $(ls -A) ]]; then
  echo "$working_dir is not empty" >&2
  exit 1
fi
